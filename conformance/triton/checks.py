"""checks.py SERVER COFFEE: what tritonclient can do against the server, as a line of JSON."""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import grpc
import numpy
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

SERVER, COFFEE = sys.argv[1], Path(sys.argv[2]).read_bytes()
IMAGE_BYTES_MAX = 10 << 20
UTF_8 = "кот 🐈 100 %"
NONE = {"state": "none", "note": "the protocol has no such thing, or tritonclient no access to it"}

client = triton.InferenceServerClient(SERVER)


def model() -> str:
    # The name of our own default model: this protocol has no list of models that is not an extension.
    return "efficientnet-lite0"


def infer(image: bytes, name: str | None = None, **options: object) -> triton.InferResult:
    metadata = client.get_model_metadata(model())
    of_bytes = next(tensor for tensor in metadata.inputs if tensor.datatype == "BYTES")
    values = numpy.array([[image]], dtype=object)
    tensor = triton.InferInput(of_bytes.name, list(values.shape), "BYTES")
    tensor.set_data_from_numpy(values)
    return client.infer(name or model(), [tensor], **options)


def unary() -> None:
    labels = next(output.name for output in client.get_model_metadata(model()).outputs if output.datatype == "BYTES")
    assert b"espresso" in infer(COFFEE).as_numpy(labels).flatten()[0]


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
    assert "DEADLINE_EXCEEDED" in failure(infer, COFFEE, client_timeout=0.001).status()


def large_message() -> None:
    infer(COFFEE + bytes(IMAGE_BYTES_MAX - len(COFFEE)))
    assert "INVALID_ARGUMENT" in failure(infer, COFFEE + bytes(IMAGE_BYTES_MAX + 1 - len(COFFEE))).status()


def health() -> None:
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model())


def compression() -> str:
    assert "UNIMPLEMENTED" in failure(infer, COFFEE, compression_algorithm="gzip").status()
    return "refused: UNIMPLEMENTED"


def cell(check: Callable) -> dict[str, str]:
    try:
        note = check()
    except Exception as error:
        return {"state": "no", "note": (str(error) or type(error).__name__).splitlines()[0]}
    return {"state": "yes", "note": note} if note else {"state": "yes"}


CHECKS = {
    "unary": unary,
    "UTF-8": utf_8,
    "deadline": deadline,
    "large message": large_message,
    "compression": compression,
    "health": health,
}
ALL = ["server stream", "bidi", "error details", "cancellation", "metadata", "reflection", *CHECKS]
try:
    client.is_server_live()
except InferenceServerException as error:
    if error.status() != str(grpc.StatusCode.UNIMPLEMENTED):
        raise
    cells = dict.fromkeys(ALL, {"state": "none", "note": "the server has no inference.GRPCInferenceService"})
else:
    cells = {name: cell(CHECKS[name]) if name in CHECKS else NONE for name in ALL}
row = {"name": "tritonclient", "version": version("tritonclient"), "protocol": "gRPC, inference protocol v2"}
print(json.dumps({**row, "cells": cells}))
