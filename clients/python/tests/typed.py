"""Checked by mypy, never run: the installed package has types that reject wrong uses."""

import numpy
from imageclassifier import Client, ImageInput, Picture, RequestRefused, Result

with Client() as client:
    confidence: float = client.classify(numpy.zeros((2, 2, 3), numpy.uint8)).confidence
    results: list[Result] = client.classify_batch(["a.jpg", ("id", b"")])
    label: str = next(client.classify_stream(iter([b""]))).unwrap().label
    client.classify(17)  # type: ignore[arg-type]
    # The deprecated names.
    old: Picture = b""
    new: ImageInput = old
    try:
        client.classify(new)
    except RequestRefused as error:
        reason: str = error.reason
    unknown: int = client.classify("a.jpg").label  # type: ignore[assignment]
