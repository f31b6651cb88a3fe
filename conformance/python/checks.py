"""checks.py SERVER COFFEE: what each implementation can do against the server (host:port), as lines of JSON. Needs, on
PYTHONPATH, the contract's generated code."""

import asyncio
import base64
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import grpc
import image_classifier_pb2 as pb
import sonora.aio
import sonora.client
from connectrpc.client import ConnectClient, ConnectClientSync, ResponseMetadata
from connectrpc.code import Code
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo
from connectrpc.protocol import ProtocolType
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from image_classifier_pb2_grpc import ImageClassifierStub
from pyqwest import Client, HTTPTransport, HTTPVersion, SyncClient, SyncHTTPTransport

SERVER, COFFEE = sys.argv[1], Path(sys.argv[2]).read_bytes()
IMAGE_BYTES_MAX = 10 << 20
CLASSIFY = ("imageclassifier.ImageClassifier", "Classify", pb.ClassifyImageRequest, pb.ClassifyImageResponse)
BATCH = ("imageclassifier.ImageClassifier", "ClassifyBatch", pb.ClassifyBatchRequest, pb.ClassifyBatchResponse)
STREAM = ("imageclassifier.ImageClassifier", "ClassifyStream", pb.ClassifyImageRequest, pb.ClassifyStreamResponse)
HEALTH = ("grpc.health.v1.Health", "Check", health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse)
REFLECTION = ("grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo",
              reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse)  # fmt: skip
NO_BIDI = "needs a stream in both directions, which the library has not"
UTF_8 = "кот 🐈 100 %"


class NotApplicable(Exception):
    """This library or its protocol does not have that."""


def request(**fields: object) -> pb.ClassifyImageRequest:
    return pb.ClassifyImageRequest(**{"image_data": COFFEE, **fields})


def padded(length: int) -> bytes:
    return COFFEE + bytes(length - len(COFFEE))


def info(status: status_pb2.Status | None) -> error_details_pb2.ErrorInfo:
    assert status is not None, "there are no details"
    found = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(found) for detail in status.details), "there is no ErrorInfo"
    return found


class Stubs:
    """grpcio, and what looks like it."""

    def __init__(self, name: str, protocol: str, channel: object) -> None:
        self.name, self.version, self.protocol = name, version(name), protocol
        self.channel = channel

    def method(self, kind: str, service: str, name: str, of: type, to: type, channel: object = None) -> Callable:
        made = getattr(channel or self.channel, kind)
        return made(f"/{service}/{name}", request_serializer=of.SerializeToString, response_deserializer=to.FromString)

    def unary(self, request, timeout=None, **options):
        message, made = self.method("unary_unary", *CLASSIFY).with_call(request, timeout=timeout, **options)
        return message, dict(made.initial_metadata())

    def stream(self, batch):
        return self.method("unary_stream", *BATCH)(batch)

    def health(self):
        return self.method("unary_unary", *HEALTH)(health_pb2.HealthCheckRequest()).status


class Grpcio(Stubs):
    def __init__(self) -> None:
        super().__init__("grpcio", "gRPC", grpc.insecure_channel(SERVER))

    def bidi(self, requests):
        return ImageClassifierStub(self.channel).ClassifyStream(requests)

    def give_up(self, given_up, then):
        self.unary(then)  # connected by then
        call = ImageClassifierStub(self.channel).Classify.future(given_up)
        threading.Timer(0.003, call.cancel).start()
        try:
            call.result()
        except grpc.FutureCancelledError:
            return self.unary(then)[0]
        raise AssertionError("it was answered")

    def compressed(self, request):
        return self.unary(request, compression=grpc.Compression.Gzip)

    def failure(self, error):
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        status = status_pb2.Status.FromString(details) if details else None
        return error.code().value[0], error.details(), status

    def reflection(self, requests):
        return self.method("stream_stream", *REFLECTION)(requests)


class Sonora(Stubs):
    no_compression = "has no option for it"
    no_details = "its errors carry code and message alone"

    def __init__(self) -> None:
        super().__init__("sonora", "gRPC-Web", sonora.client.insecure_web_channel(f"http://{SERVER}"))

    def give_up(self, given_up, then):
        async def both():
            async with sonora.aio.insecure_web_channel(f"http://{SERVER}") as channel:
                classify = self.method("unary_unary", *CLASSIFY, channel=channel)
                return await give_up(lambda request: _awaited(classify(request)), given_up, then)

        return asyncio.run(both())

    def failure(self, error):
        return error.code().value[0], error.details(), None


class Connect:
    name, version = "connectrpc", version("connectrpc")

    def __init__(self, kind: ProtocolType, protocol: str) -> None:
        self.kind, self.protocol = kind, protocol
        # gRPC is HTTP/2, which this client's own default is not without TLS.
        self.http = HTTPVersion.HTTP2 if kind is ProtocolType.GRPC else HTTPVersion.HTTP1
        self.client = self.made(None)

    def made(self, compression):
        http = SyncClient(SyncHTTPTransport(http_version=self.http))
        return ConnectClientSync(
            f"http://{SERVER}", protocol=self.kind, send_compression=compression, http_client=http
        )

    @staticmethod
    def method(service: str, name: str, of: type, to: type) -> MethodInfo:
        return MethodInfo(
            name=name, service_name=service, input=of, output=to, idempotency_level=IdempotencyLevel.UNKNOWN
        )

    def unary(self, request, timeout=None, client=None):
        timeout_ms = None if timeout is None else round(1000 * timeout)
        with ResponseMetadata() as metadata:
            message = (client or self.client).execute_unary(
                request=request, method=self.method(*CLASSIFY), timeout_ms=timeout_ms
            )
        return message, metadata.headers()

    def stream(self, batch):
        return self.client.execute_server_stream(request=batch, method=self.method(*BATCH))

    def bidi(self, requests):
        return self.client.execute_bidi_stream(request=requests, method=self.method(*STREAM))

    def give_up(self, given_up, then):
        async def both():
            http = Client(HTTPTransport(http_version=self.http))
            client = ConnectClient(f"http://{SERVER}", protocol=self.kind, send_compression=None, http_client=http)
            method = self.method(*CLASSIFY)
            return await give_up(
                lambda request: client.execute_unary(request=request, method=method), given_up, then
            )

        return asyncio.run(both())

    def compressed(self, request):
        return self.unary(request, client=self.made(GzipCompression()))

    def failure(self, error):
        code = [None, *CODES].index(error.code)
        return code, error.message, status_pb2.Status(details=error.details)

    def health(self):
        request = health_pb2.HealthCheckRequest()
        return self.client.execute_unary(request=request, method=self.method(*HEALTH)).status

    def reflection(self, requests):
        return self.client.execute_bidi_stream(request=requests, method=self.method(*REFLECTION))


async def _awaited(call):
    return await call


async def give_up(classify, given_up, then):
    """By asyncio's way; gives what answers the call that follows."""
    await classify(then)  # connected by then
    call = asyncio.create_task(classify(given_up))
    await asyncio.sleep(0.003)
    call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        pass
    except ConnectError as error:
        assert error.code is Code.CANCELED, error
    else:
        raise AssertionError("it was answered")
    return await classify(then)


CODES = (
    [Code.CANCELED, Code.UNKNOWN, Code.INVALID_ARGUMENT, Code.DEADLINE_EXCEEDED, Code.NOT_FOUND, Code.ALREADY_EXISTS]
    + [Code.PERMISSION_DENIED, Code.RESOURCE_EXHAUSTED, Code.FAILED_PRECONDITION, Code.ABORTED, Code.OUT_OF_RANGE]
    + [Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE, Code.DATA_LOSS, Code.UNAUTHENTICATED]
)
DRIVERS = [
    Grpcio,
    lambda: Connect(ProtocolType.GRPC, "gRPC"),
    lambda: Connect(ProtocolType.GRPC_WEB, "gRPC-Web"),
    Sonora,
]
BUF_DRIVERS = [
    lambda: BufCurl("grpc", "gRPC", "--http2-prior-knowledge"),
    lambda: BufCurl("grpcweb", "gRPC-Web", "--schema", "../../proto", "--schema", "../services"),
]


def unary(driver):
    message, _ = driver.unary(request(top_k=3))
    assert message.label == "espresso" and len(message.predictions) == 3, message


def server_stream(driver):
    batch = pb.ClassifyBatchRequest(requests=[request(id="a"), request(id="b", image_data=b""), request(id="c")])
    outcomes = {answer.id: answer.WhichOneof("outcome") for answer in driver.stream(batch)}
    assert outcomes == {"a": "response", "b": "error", "c": "response"}, outcomes


def bidi(driver):
    if not hasattr(driver, "bidi"):
        raise NotApplicable(NO_BIDI)
    answered = threading.Semaphore(1)

    def requests():
        for i in range(5):
            answered.acquire()  # each waits for the one before: only if both directions flow at once
            yield request(id=str(i))

    ids = []
    for answer in driver.bidi(requests()):
        assert answer.WhichOneof("outcome") == "response", answer
        ids.append(answer.id)
        answered.release()
    assert ids == ["0", "1", "2", "3", "4"], ids


def failure(driver, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except (grpc.RpcError, ConnectError) as error:
        return driver.failure(error)
    raise AssertionError("it did not fail")


def error_details(driver):
    code, _, status = failure(driver, driver.unary, request(image_data=b""))
    assert code == 3, f"the code is {code}"
    if hasattr(driver, "no_details"):
        raise NotApplicable(driver.no_details)
    assert info(status).reason == "IMAGE_EMPTY"


def utf_8(driver):
    code, message, status = failure(driver, driver.unary, request(model=UTF_8))
    assert code == 5 and UTF_8 in message, f"{code}: {message}"
    if not hasattr(driver, "no_details"):
        assert info(status).metadata["model"] == UTF_8


def deadline(driver):
    code, _, status = failure(driver, driver.unary, request(image_data=padded(IMAGE_BYTES_MAX)), timeout=0.003)
    # The library's own clock, or the server's; which also refuses at once what it cannot do in time.
    if code != 4:
        assert code == 8 and (status is None or info(status).reason == "OVERLOADED"), f"the code is {code}"
    driver.unary(request(), timeout=20)


def cancellation(driver):
    since = time.monotonic()
    answer = driver.give_up(request(image_data=padded(IMAGE_BYTES_MAX)), then=request())
    assert answer.label == "espresso"
    assert time.monotonic() - since < 5, "it went on"


def large_message(driver):
    assert driver.unary(request(image_data=padded(IMAGE_BYTES_MAX)))[0].label == "espresso"
    code, message, status = failure(driver, driver.unary, request(image_data=padded(IMAGE_BYTES_MAX + 1)))
    assert code == 3, f"{code}: {message}"
    if not hasattr(driver, "no_details"):
        assert info(status).reason == "IMAGE_TOO_LARGE"


def metadata(driver):
    message, headers = driver.unary(request())
    assert message.request_id and headers["x-request-id"] == message.request_id, headers


def compression(driver):
    if hasattr(driver, "no_compression"):
        raise NotApplicable(driver.no_compression)
    assert driver.compressed(request())[0].label == "espresso"


def health(driver):
    assert driver.health() == health_pb2.HealthCheckResponse.SERVING


def reflection(driver):
    if not hasattr(driver, "reflection"):
        raise NotApplicable(NO_BIDI)
    answers = driver.reflection(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    services = [service.name for answer in answers for service in answer.list_services_response.service]
    assert "imageclassifier.ImageClassifier" in services, services


class BufCurl:
    """`buf curl`: each call is a process, so that there is no other on the same connection."""

    name, version = "buf curl", version("buf-bin")

    def __init__(self, kind: str, protocol: str, *flags: str) -> None:
        self.protocol = protocol
        self.flags = ["--protocol", kind, *flags]

    def command(self, method: str, *flags: str) -> list[str]:
        return ["buf", "curl", *self.flags, *flags, f"http://{SERVER}/{method}"]

    def call(self, method: str, *flags: str, **message: object) -> str:
        """What it prints, be it answer or error."""
        command = self.command(method, "--data", "@-", *flags)
        done = subprocess.run(command, input=json.dumps(message), capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def bidi(self, requests: Iterable[dict]) -> Iterator[dict]:
        """The answers, each before the next request."""
        command = self.command("imageclassifier.ImageClassifier/ClassifyStream", "--data", "@-")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            overdue = threading.Timer(60, process.kill)
            overdue.start()
            for request in requests:
                print(json.dumps(request), file=process.stdin, flush=True)
                # The closing brace of an object stands at a line's beginning.
                lines = itertools.takewhile(lambda line: line != "}\n", process.stdout)
                yield json.loads("".join(lines) + "}")
            process.stdin.close()
            overdue.cancel()

    def classify(self, *flags: str, image: bytes = COFFEE, **fields: object) -> str:
        return self.call("imageclassifier.ImageClassifier/Classify", *flags, imageData=encoded(image), **fields)


def encoded(image: bytes) -> str:
    return base64.b64encode(image).decode()


def says(said: str, *expected: str) -> None:
    for text in expected:
        assert text in said, f"{text} is not in {said[:200]}"


def buf_server_stream(buf):
    pictures = [{"imageData": encoded(COFFEE), "id": "a"}, {"id": "b"}]
    says(buf.call("imageclassifier.ImageClassifier/ClassifyBatch", requests=pictures), "espresso", "IMAGE_EMPTY")


def buf_bidi(buf):
    pictures = [{"imageData": encoded(COFFEE), "id": str(i)} for i in range(5)]
    for picture, answer in zip(pictures, buf.bidi(pictures), strict=True):
        assert answer["id"] == picture["id"] and answer["response"]["label"] == "espresso", answer


def buf_reason(said):
    """It prints details as Connect's JSON has them, in base64."""
    details = json.loads(said)["details"]
    packed = next(detail["value"] for detail in details if detail["type"] == "google.rpc.ErrorInfo")
    return error_details_pb2.ErrorInfo.FromString(base64.b64decode(packed + "==")).reason


def buf_error_details(buf):
    said = buf.classify(image=b"")
    says(said, "invalid_argument")
    assert buf_reason(said) == "IMAGE_EMPTY", said


def buf_deadline(buf):
    says(buf.classify("--timeout", "3ms", image=padded(IMAGE_BYTES_MAX)), "deadline")


def buf_large_message(buf):
    says(buf.classify(image=padded(IMAGE_BYTES_MAX)), "espresso")
    assert buf_reason(buf.classify(image=padded(IMAGE_BYTES_MAX + 1))) == "IMAGE_TOO_LARGE"


def buf_metadata(buf):
    said = buf.classify("--verbose")
    headers = [line for line in said.splitlines() if " X-Request-Id: " in line]  # reflection's before
    says(said, f'"requestId": "{headers[-1].rpartition(": ")[2]}"')


def buf_reflection(buf):
    says(buf.call("", "--list-services"), "imageclassifier.ImageClassifier")


def lacks(why: str) -> Callable:
    def check(_) -> None:
        raise NotApplicable(why)

    return check


BUF_CHECKS = {
    "unary": lambda buf: says(buf.classify(), '"label": "espresso"'),
    "server stream": buf_server_stream,
    "bidi": buf_bidi,
    "error details": buf_error_details,
    "UTF-8": lambda buf: says(buf.classify(model=UTF_8), "not_found", UTF_8),
    "deadline": buf_deadline,
    "cancellation": lacks("a process makes one call; ending it ends the connection"),
    "large message": buf_large_message,
    "metadata": buf_metadata,
    "compression": lacks("has no option for it"),
    "health": lambda buf: says(buf.call("grpc.health.v1.Health/Check"), "SERVING"),
    "reflection": buf_reflection,
}
CHECKS = {
    "unary": unary,
    "server stream": server_stream,
    "bidi": bidi,
    "error details": error_details,
    "UTF-8": utf_8,
    "deadline": deadline,
    "cancellation": cancellation,
    "large message": large_message,
    "metadata": metadata,
    "compression": compression,
    "health": health,
    "reflection": reflection,
}


def cell(check: Callable, make: Callable) -> dict[str, str]:
    try:
        check(make())  # with a connection of its own
    except NotApplicable as why:
        return {"state": "none", "note": str(why)}
    except Exception as error:
        return {"state": "no", "note": (str(error) or type(error).__name__).splitlines()[0]}
    return {"state": "yes"}


for checks, makers in ((CHECKS, DRIVERS), (BUF_CHECKS, BUF_DRIVERS)):
    for make in makers:
        driver = make()
        cells = {name: cell(check, make) for name, check in checks.items()}
        row = {"name": driver.name, "version": driver.version, "protocol": driver.protocol, "cells": cells}
        print(json.dumps(row), flush=True)
