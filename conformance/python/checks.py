"""checks.py SERVER COFFEE: runs all checks with each client library against the server (host:port). Prints a line of JSON for
each. Needs the contract's generated code on PYTHONPATH."""

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
NO_BIDI = "needs a bidirectional stream, which the library does not support"
UTF_8 = "кот 🐈 100 %"


class NotApplicable(Exception):
    """The library or its protocol lacks the feature; the message says which."""


def request(**fields: object) -> pb.ClassifyImageRequest:
    return pb.ClassifyImageRequest(**{"image_data": COFFEE, **fields})


def padded(length: int) -> bytes:
    return COFFEE + bytes(length - len(COFFEE))


def info(status: status_pb2.Status | None) -> error_details_pb2.ErrorInfo:
    assert status is not None, "the error has no details"
    unpacked = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(unpacked) for detail in status.details), "the error has no ErrorInfo"
    return unpacked


class Stubs:
    """Base of the drivers for grpcio and for libraries with the same interface."""

    def __init__(self, name: str, protocol: str, channel: object) -> None:
        self.name, self.version, self.protocol = name, version(name), protocol
        self.channel = channel

    def method(
        self, kind: str, service: str, name: str, request: type, response: type, channel: object = None
    ) -> Callable:
        make_method = getattr(channel or self.channel, kind)
        return make_method(
            f"/{service}/{name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )

    def unary(self, request, timeout=None, **options):
        message, call = self.method("unary_unary", *CLASSIFY).with_call(request, timeout=timeout, **options)
        return message, dict(call.initial_metadata())

    def stream(self, batch):
        return self.method("unary_stream", *BATCH)(batch)

    def health(self):
        return self.method("unary_unary", *HEALTH)(health_pb2.HealthCheckRequest()).status


class Grpcio(Stubs):
    def __init__(self) -> None:
        super().__init__("grpcio", "gRPC", grpc.insecure_channel(SERVER))

    def bidi(self, requests):
        return ImageClassifierStub(self.channel).ClassifyStream(requests)

    def cancel(self, cancelled, then):
        self.unary(then)  # opens the connection
        call = ImageClassifierStub(self.channel).Classify.future(cancelled)
        threading.Timer(0.003, call.cancel).start()
        try:
            call.result()
        except grpc.FutureCancelledError:
            return self.unary(then)[0]
        raise AssertionError("the cancelled request got a response")

    def compressed(self, request):
        return self.unary(request, compression=grpc.Compression.Gzip)

    def failure(self, error):
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        status = status_pb2.Status.FromString(details) if details else None
        return error.code().value[0], error.details(), status

    def reflection(self, requests):
        return self.method("stream_stream", *REFLECTION)(requests)


class Sonora(Stubs):
    no_compression = "has no option for compression"
    no_details = "its errors have only a code and a message"

    def __init__(self) -> None:
        super().__init__("sonora", "gRPC-Web", sonora.client.insecure_web_channel(f"http://{SERVER}"))

    def cancel(self, cancelled, then):
        async def run():
            async with sonora.aio.insecure_web_channel(f"http://{SERVER}") as channel:
                classify = self.method("unary_unary", *CLASSIFY, channel=channel)
                return await cancel_task(lambda request: _awaited(classify(request)), cancelled, then)

        return asyncio.run(run())

    def failure(self, error):
        return error.code().value[0], error.details(), None


class Connect:
    name, version = "connectrpc", version("connectrpc")

    def __init__(self, kind: ProtocolType, protocol: str) -> None:
        self.kind, self.protocol = kind, protocol
        # gRPC needs HTTP/2. Without TLS the library's default is HTTP/1.1.
        self.http = HTTPVersion.HTTP2 if kind is ProtocolType.GRPC else HTTPVersion.HTTP1
        self.client = self.new_client(None)

    def new_client(self, compression):
        http = SyncClient(SyncHTTPTransport(http_version=self.http))
        return ConnectClientSync(
            f"http://{SERVER}", protocol=self.kind, send_compression=compression, http_client=http
        )

    @staticmethod
    def method(service: str, name: str, request: type, response: type) -> MethodInfo:
        unknown = IdempotencyLevel.UNKNOWN
        return MethodInfo(name=name, service_name=service, input=request, output=response, idempotency_level=unknown)

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

    def cancel(self, cancelled, then):
        async def run():
            http = Client(HTTPTransport(http_version=self.http))
            client = ConnectClient(f"http://{SERVER}", protocol=self.kind, send_compression=None, http_client=http)
            method = self.method(*CLASSIFY)
            return await cancel_task(
                lambda request: client.execute_unary(request=request, method=method), cancelled, then
            )

        return asyncio.run(run())

    def compressed(self, request):
        return self.unary(request, client=self.new_client(GzipCompression()))

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


async def cancel_task(classify, cancelled, then):
    """Cancels a request as an asyncio task. Returns the response to the next request, `then`."""
    await classify(then)  # opens the connection
    task = asyncio.create_task(classify(cancelled))
    await asyncio.sleep(0.003)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    except ConnectError as error:
        assert error.code is Code.CANCELED, error
    else:
        raise AssertionError("the cancelled request got a response")
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
    outcomes = {response.id: response.WhichOneof("outcome") for response in driver.stream(batch)}
    assert outcomes == {"a": "response", "b": "error", "c": "response"}, outcomes


def bidi(driver):
    if not hasattr(driver, "bidi"):
        raise NotApplicable(NO_BIDI)
    received = threading.Semaphore(1)

    def requests():
        for i in range(5):
            received.acquire()  # so the check passes only if both directions work at the same time
            yield request(id=str(i))

    ids = []
    for response in driver.bidi(requests()):
        assert response.WhichOneof("outcome") == "response", response
        ids.append(response.id)
        received.release()
    assert ids == ["0", "1", "2", "3", "4"], ids


def failure(driver, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except (grpc.RpcError, ConnectError) as error:
        return driver.failure(error)
    raise AssertionError("the request succeeded, but should have failed")


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
    # Either side may report the deadline first. The server may also reject the request at once as OVERLOADED.
    if code != 4:
        assert code == 8 and (status is None or info(status).reason == "OVERLOADED"), f"the code is {code}"
    driver.unary(request(), timeout=20)


def cancellation(driver):
    started_at = time.monotonic()
    response = driver.cancel(request(image_data=padded(IMAGE_BYTES_MAX)), then=request())
    assert response.label == "espresso"
    assert time.monotonic() - started_at < 5, "the cancelled request did not end within 5 s"


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
    message, _ = driver.compressed(request())
    assert message.label == "espresso", message


def health(driver):
    assert driver.health() == health_pb2.HealthCheckResponse.SERVING


def reflection(driver):
    if not hasattr(driver, "reflection"):
        raise NotApplicable(NO_BIDI)
    responses = driver.reflection(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    services = [service.name for response in responses for service in response.list_services_response.service]
    assert "imageclassifier.ImageClassifier" in services, services


class BufCurl:
    """`buf curl`: each request is a process with its own connection."""

    name, version = "buf curl", version("buf-bin")

    def __init__(self, kind: str, protocol: str, *flags: str) -> None:
        self.protocol = protocol
        self.flags = ["--protocol", kind, *flags]

    def command(self, method: str, *flags: str) -> list[str]:
        return ["buf", "curl", *self.flags, *flags, f"http://{SERVER}/{method}"]

    def call(self, method: str, *flags: str, **message: object) -> str:
        """The output: a response or an error."""
        command = self.command(method, "--data", "@-", *flags)
        process = subprocess.run(command, input=json.dumps(message), capture_output=True, text=True, timeout=60)
        return process.stdout + process.stderr

    def bidi(self, requests: Iterable[dict]) -> Iterator[dict]:
        """Yields each response before it sends the next request."""
        command = self.command("imageclassifier.ImageClassifier/ClassifyStream", "--data", "@-")
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            timeout = threading.Timer(60, process.kill)
            timeout.start()
            for request in requests:
                print(json.dumps(request), file=process.stdin, flush=True)
                # A line with only a closing brace ends each object.
                lines = itertools.takewhile(lambda line: line != "}\n", process.stdout)
                yield json.loads("".join(lines) + "}")
            process.stdin.close()
            timeout.cancel()

    def classify(self, *flags: str, image: bytes = COFFEE, **fields: object) -> str:
        return self.call("imageclassifier.ImageClassifier/Classify", *flags, imageData=encoded(image), **fields)


def encoded(image: bytes) -> str:
    return base64.b64encode(image).decode()


def assert_contains(output: str, *expected: str) -> None:
    for text in expected:
        assert text in output, f"{text} is not in {output[:200]}"


def buf_server_stream(buf):
    requests = [{"imageData": encoded(COFFEE), "id": "a"}, {"id": "b"}]
    output = buf.call("imageclassifier.ImageClassifier/ClassifyBatch", requests=requests)
    assert_contains(output, "espresso", "IMAGE_EMPTY")


def buf_bidi(buf):
    requests = [{"imageData": encoded(COFFEE), "id": str(i)} for i in range(5)]
    for request, response in zip(requests, buf.bidi(requests), strict=True):
        assert response["id"] == request["id"] and response["response"]["label"] == "espresso", response


def buf_reason(output):
    """The reason in an error. buf prints error details as Connect's JSON does, in base64."""
    details = json.loads(output)["details"]
    packed = next(detail["value"] for detail in details if detail["type"] == "google.rpc.ErrorInfo")
    return error_details_pb2.ErrorInfo.FromString(base64.b64decode(packed + "==")).reason


def buf_error_details(buf):
    output = buf.classify(image=b"")
    assert_contains(output, "invalid_argument")
    assert buf_reason(output) == "IMAGE_EMPTY", output


def buf_deadline(buf):
    assert_contains(buf.classify("--timeout", "3ms", image=padded(IMAGE_BYTES_MAX)), "deadline")


def buf_large_message(buf):
    assert_contains(buf.classify(image=padded(IMAGE_BYTES_MAX)), "espresso")
    assert buf_reason(buf.classify(image=padded(IMAGE_BYTES_MAX + 1))) == "IMAGE_TOO_LARGE"


def buf_metadata(buf):
    output = buf.classify("--verbose")
    # The last header belongs to the request; those before it belong to reflection.
    headers = [line for line in output.splitlines() if " X-Request-Id: " in line]
    assert_contains(output, f'"requestId": "{headers[-1].rpartition(": ")[2]}"')


def buf_reflection(buf):
    assert_contains(buf.call("", "--list-services"), "imageclassifier.ImageClassifier")


def lacks(why: str) -> Callable:
    def check(_) -> None:
        raise NotApplicable(why)

    return check


BUF_CHECKS = {
    "unary": lambda buf: assert_contains(buf.classify(), '"label": "espresso"'),
    "server stream": buf_server_stream,
    "bidi": buf_bidi,
    "error details": buf_error_details,
    "UTF-8": lambda buf: assert_contains(buf.classify(model=UTF_8), "not_found", UTF_8),
    "deadline": buf_deadline,
    "cancellation": lacks("each request is a process of its own, so cancelling it closes the connection"),
    "large message": buf_large_message,
    "metadata": buf_metadata,
    "compression": lacks("has no option for compression"),
    "health": lambda buf: assert_contains(buf.call("grpc.health.v1.Health/Check"), "SERVING"),
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
        check(make())  # a new connection for each check
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
