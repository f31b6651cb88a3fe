"""checks.py SERVER COFFEE: what tritonclient can do against the server, as a line of JSON."""

import json
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

SERVER, COFFEE = sys.argv[1], Path(sys.argv[2]).read_bytes()
IMAGE_BYTES_MAX = 10 << 20
UTF_8 = "кот 🐈 100 %"
# The protocol has no list of models that is not an extension.
MODEL = "efficientnet-lite0"
client = triton.InferenceServerClient(SERVER)


def tensor(image: bytes) -> triton.InferInput:
    metadata = client.get_model_metadata(MODEL)
    of_bytes = next(tensor for tensor in metadata.inputs if tensor.datatype == "BYTES")
    values = numpy.array([image], dtype=object)
    made = triton.InferInput(of_bytes.name, list(values.shape), "BYTES")
    made.set_data_from_numpy(values)
    return made


def infer(image: bytes, **options: object) -> triton.InferResult:
    return client.infer(MODEL, [tensor(image)], **options)


def padded(length: int) -> bytes:
    return COFFEE + bytes(length - len(COFFEE))


def unary() -> None:
    labels = next(output.name for output in client.get_model_metadata(MODEL).outputs if output.datatype == "BYTES")
    assert infer(COFFEE).as_numpy(labels).tolist() == [b"espresso"]


def failure(call: Callable, *arguments: object, **options: object) -> InferenceServerException:
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        return error
    raise AssertionError("it did not fail")


def utf_8() -> None:
    error = failure(client.get_model_metadata, UTF_8)
    assert UTF_8 in error.message(), error.message()


def deadline() -> None:
    assert "DEADLINE_EXCEEDED" in failure(infer, padded(IMAGE_BYTES_MAX), client_timeout=0.003).status()


def cancellation() -> None:
    ended, outcome = threading.Event(), []
    since = time.monotonic()

    def end(result: triton.InferResult | None, error: InferenceServerException | None) -> None:
        outcome.append(error)
        ended.set()

    call = client.async_infer(MODEL, [tensor(padded(IMAGE_BYTES_MAX))], end)
    time.sleep(0.003)
    call.cancel()
    assert ended.wait(5), "it went on"
    assert outcome[0] is not None and "CANCELLED" in outcome[0].status(), outcome
    unary()


def large_message() -> None:
    infer(padded(IMAGE_BYTES_MAX))
    error = failure(infer, padded(IMAGE_BYTES_MAX + 1))
    assert "INVALID_ARGUMENT" in error.status(), error


def health() -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)


def compression() -> None:
    infer(COFFEE, compression_algorithm="gzip")


def cell(check: Callable | str) -> dict[str, str]:
    if isinstance(check, str):
        return {"state": "none", "note": check}
    try:
        check()
    except Exception as error:
        return {"state": "no", "note": (str(error) or type(error).__name__).splitlines()[0]}
    return {"state": "yes"}


NO_STREAM = "the Open Inference Protocol has no streams"
CHECKS = {
    "unary": unary,
    "server stream": NO_STREAM,
    "bidi": NO_STREAM,
    "error details": "its errors carry code and message alone",
    "UTF-8": utf_8,
    "deadline": deadline,
    "cancellation": cancellation,
    "large message": large_message,
    "metadata": "gives no access to an answer's headers",
    "compression": compression,
    "health": health,
    "reflection": "has no client for it",
}
row = {"name": "tritonclient", "version": version("tritonclient"), "protocol": "gRPC, Open Inference Protocol"}
print(json.dumps({**row, "cells": {name: cell(check) for name, check in CHECKS.items()}}))
