"""Read by mypy, never run: the installed package has types, and wrong uses are seen."""

import numpy
from imageclassifier import Client, Result

with Client() as client:
    confidence: float = client.classify(numpy.zeros((2, 2, 3), numpy.uint8)).confidence
    results: list[Result] = client.classify_batch(["a.jpg", ("id", b"")])
    label: str = next(client.classify_stream(iter([b""]))).unwrap().label
    client.classify(17)  # type: ignore[arg-type]
    unknown: int = client.classify("a.jpg").label  # type: ignore[assignment]
