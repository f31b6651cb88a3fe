"""checks.py SERVER COFFEE: runs all checks with both of tritonclient's clients against the server and prints the results of
each as a line of JSON."""

import json
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import InferenceServerException

SERVER, COFFEE = sys.argv[1], Path(sys.argv[2]).read_bytes()
IMAGE_BYTES_MAX = 10 << 20
UTF_8 = "кот 🐈 100 %"
# The protocol can list models only with an extension, which the server does not have.
MODEL = "efficientnet-lite0"
NO_STREAM = "the Open Inference Protocol has no streams"


def padded(length: int) -> bytes:
    return COFFEE + bytes(length - len(COFFEE))


def failure(call: Callable, *arguments: object, **options: object) -> InferenceServerException:
    try:
        call(*arguments, **options)
    except InferenceServerException as error:
        return error
    raise AssertionError("the request succeeded, but should have failed")


class Checks:
    """The checks that both clients pass in the same way. `library` has their classes, which have the same names."""

    def __init__(self, library: object) -> None:
        self.library = library
        self.client = library.InferenceServerClient(SERVER)

    def tensor(self, image: bytes) -> object:
        description = next(tensor for tensor in self.metadata()["inputs"] if tensor["datatype"] == "BYTES")
        values = numpy.array([image], dtype=object)
        tensor = self.library.InferInput(description["name"], list(values.shape), "BYTES")
        tensor.set_data_from_numpy(values)
        return tensor

    def infer(self, image: bytes, **options: object) -> object:
        return self.client.infer(MODEL, [self.tensor(image)], **options)

    def unary(self, **options: object) -> None:
        labels = next(output["name"] for output in self.metadata()["outputs"] if output["datatype"] == "BYTES")
        assert self.infer(COFFEE, **options).as_numpy(labels).tolist() == [b"espresso"]

    def utf_8(self) -> None:
        error = failure(self.client.get_model_metadata, UTF_8)
        assert UTF_8 in error.message(), error.message()

    def large_message(self) -> None:
        self.infer(padded(IMAGE_BYTES_MAX))
        error = failure(self.infer, padded(IMAGE_BYTES_MAX + 1))
        assert self.TOO_LARGE in error.status(), error

    def health(self) -> None:
        assert self.client.is_server_live() and self.client.is_server_ready() and self.client.is_model_ready(MODEL)

    def row(self) -> dict:
        row = {"name": "tritonclient", "version": version("tritonclient"), "protocol": self.PROTOCOL}
        return {**row, "cells": {name: cell(check) for name, check in self.checks().items()}}

    def checks(self) -> dict[str, Callable | str]:
        return {
            "unary": self.unary,
            "server stream": NO_STREAM,
            "bidi": NO_STREAM,
            "error details": self.NO_DETAILS,
            "UTF-8": self.utf_8,
            "deadline": self.deadline,
            "cancellation": self.cancellation,
            "large message": self.large_message,
            "metadata": "gives no access to response headers",
            "compression": self.compression,
            "health": self.health,
            "reflection": "has no reflection client",
        }


class Grpc(Checks):
    PROTOCOL = "gRPC, Open Inference Protocol"
    TOO_LARGE = "INVALID_ARGUMENT"
    NO_DETAILS = "its errors have only a code and a message"

    def metadata(self) -> dict:
        return self.client.get_model_metadata(MODEL, as_json=True)

    def deadline(self) -> None:
        late = failure(self.infer, padded(IMAGE_BYTES_MAX), client_timeout=0.003)
        assert "DEADLINE_EXCEEDED" in late.status()

    def cancellation(self) -> None:
        ended, outcome = threading.Event(), []

        def end(result: object | None, error: InferenceServerException | None) -> None:
            outcome.append(error)
            ended.set()

        call = self.client.async_infer(MODEL, [self.tensor(padded(IMAGE_BYTES_MAX))], end)
        time.sleep(0.003)
        call.cancel()
        assert ended.wait(5), "the cancelled request did not end within 5 s"
        assert outcome[0] is not None and "CANCELLED" in outcome[0].status(), outcome
        self.unary()

    def compression(self) -> None:
        self.unary(compression_algorithm="gzip")


class Http(Checks):
    PROTOCOL = "HTTP, Open Inference Protocol"
    TOO_LARGE = "413"
    NO_DETAILS = "its errors have only a status and a message"
    cancellation = "has no way to cancel a request"

    def metadata(self) -> dict:
        return self.client.get_model_metadata(MODEL)

    def deadline(self) -> None:
        """The client has timeouts of its connection, but no deadline: the header of gRPC has it. The server may notice at once
        that it cannot meet this one."""
        late = failure(self.infer, padded(IMAGE_BYTES_MAX), headers={"grpc-timeout": "3m"})
        assert late.status() in ("503", "504"), late

    def compression(self) -> None:
        self.unary(request_compression_algorithm="gzip", response_compression_algorithm="gzip")


def cell(check: Callable | str) -> dict[str, str]:
    if isinstance(check, str):
        return {"state": "none", "note": check}
    try:
        check()
    except Exception as error:
        return {"state": "no", "note": (str(error) or type(error).__name__).splitlines()[0]}
    return {"state": "yes"}


for checks in [Grpc(tritonclient.grpc), Http(tritonclient.http)]:
    print(json.dumps(checks.row()))
