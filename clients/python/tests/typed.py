"""Checked by mypy, never run: the installed package has types that reject wrong uses."""

import numpy
from imageclassifier import Client, ImageInput, ModelSummary, Picture, RequestRefused, Result, RetryBudget

with Client() as client:
    confidence: float = client.classify(numpy.zeros((2, 2, 3), numpy.uint8)).confidence
    results: list[Result] = client.classify_batch(["a.jpg", ("id", b"")])
    label: str = next(client.classify_stream(iter([b""]))).unwrap().label
    client.classify(17)  # type: ignore[arg-type]
    models: list[ModelSummary] = client.models()
    score: float | None = client.classify(b"", model="trees@2", embed=True).known_score
    feature: float = client.embed("a.jpg").embedding[0]
    published: str = client.publish("models/trees").name
    client.feedback("a.jpg", 17)  # type: ignore[arg-type]
    if models[0].state == "serving":
        pass
    elif models[0].state == "served":  # type: ignore[comparison-overlap]
        pass
    # The deprecated names.
    old: Picture = b""
    new: ImageInput = old
    try:
        client.classify(new)
    except RequestRefused as error:
        reason: str = error.reason
    several = Client(["a:50051", "b:50051"], retry_budget=RetryBudget(max_tokens=10))
    unbounded = Client(("a:50051",), retry_budget=None)
    unknown: int = client.classify("a.jpg").label  # type: ignore[assignment]
