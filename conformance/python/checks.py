"""checks.py SERVER COFFEE: what each implementation can do against the server (host:port), as lines of JSON. Needs, on
PYTHONPATH, the contract's generated code."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import grpc
import image_classifier_pb2 as pb
import sonora.client
from connectrpc.client import ConnectClientSync, ResponseMetadata
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo
from connectrpc.protocol import ProtocolType
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pyqwest import HTTPVersion, SyncClient, SyncHTTPTransport
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from image_classifier_pb2_grpc import ImageClassifierStub

SERVER, COFFEE = sys.argv[1], Path(sys.argv[2]).read_bytes()
IMAGE_BYTES_MAX = 10 << 20
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
        self.stub = ImageClassifierStub(channel) if name == "grpcio" else None

    def method(self, kind: str, path: str, of: type, to: type) -> Callable:
        return getattr(self.channel, kind)(path, request_serializer=of.SerializeToString, response_deserializer=to.FromString)

    def unary(self, request, timeout=None, compression=None):
        path = "/imageclassifier.ImageClassifier/Classify"
        call = self.method("unary_unary", path, pb.ClassifyImageRequest, pb.ClassifyImageResponse)
        options = {} if compression is None else {"compression": compression}
        message, made = call.with_call(request, timeout=timeout, **options)
        return message, dict(made.initial_metadata())

    def stream(self, batch):
        path = "/imageclassifier.ImageClassifier/ClassifyBatch"
        return self.method("unary_stream", path, pb.ClassifyBatchRequest, pb.ClassifyBatchResponse)(batch)

    def health(self):
        path = "/grpc.health.v1.Health/Check"
        call = self.method("unary_unary", path, health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse)
        return call(health_pb2.HealthCheckRequest()).status


class Grpcio(Stubs):
    def __init__(self) -> None:
        options = [("grpc.max_send_message_length", -1)]
        super().__init__("grpcio", "gRPC", grpc.insecure_channel(SERVER, options))

    def bidi(self, requests):
        return ImageClassifierStub(self.channel).ClassifyStream(requests)

    def cancelled(self, request):
        call = ImageClassifierStub(self.channel).Classify.future(request)
        threading.Timer(0.003, call.cancel).start()
        return call.result

    def compressed(self, request):
        return self.unary(request, compression=grpc.Compression.Gzip)

    def failure(self, error):
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        status = status_pb2.Status.FromString(details) if details else None
        return error.code().value[0], error.details(), status

    def reflection(self):
        stub = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        answers = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        return [service.name for service in next(answers).list_services_response.service]


class Sonora(Stubs):
    def __init__(self) -> None:
        super().__init__("sonora", "gRPC-Web", sonora.client.insecure_web_channel(f"http://{SERVER}"))

    def failure(self, error):
        return error.code().value[0], error.details(), None


class Connect:
    def __init__(self, protocol: ProtocolType, shown: str) -> None:
        self.name, self.version, self.protocol = "connectrpc", version("connectrpc"), shown
        self.kind = protocol
        self.client = self.made(None)

    def made(self, compression):
        # gRPC is HTTP/2, which this client's own default is not without TLS.
        http = HTTPVersion.HTTP2 if self.kind is ProtocolType.GRPC else HTTPVersion.HTTP1
        client = SyncClient(SyncHTTPTransport(http_version=http))
        return ConnectClientSync(
            f"http://{SERVER}", protocol=self.kind, send_compression=compression, http_client=client
        )

    @staticmethod
    def method(service: str, name: str, of: type, to: type) -> MethodInfo:
        return MethodInfo(
            name=name, service_name=service, input=of, output=to, idempotency_level=IdempotencyLevel.UNKNOWN
        )

    def unary(self, request, timeout=None, client=None):
        method = self.method("imageclassifier.ImageClassifier", "Classify", type(request), pb.ClassifyImageResponse)
        timeout_ms = None if timeout is None else round(1000 * timeout)
        with ResponseMetadata() as metadata:
            message = (client or self.client).execute_unary(request=request, method=method, timeout_ms=timeout_ms)
        return message, metadata.headers()

    def stream(self, batch):
        method = self.method("imageclassifier.ImageClassifier", "ClassifyBatch", type(batch), pb.ClassifyBatchResponse)
        return self.client.execute_server_stream(request=batch, method=method)

    def bidi(self, requests):
        if self.kind is not ProtocolType.GRPC:
            raise NotApplicable("not in gRPC-Web")
        name = "ClassifyStream"
        method = self.method("imageclassifier.ImageClassifier", name, pb.ClassifyImageRequest, pb.ClassifyStreamResponse)
        return self.client.execute_bidi_stream(request=requests, method=method)

    def compressed(self, request):
        from connectrpc.compression.gzip import GzipCompression

        return self.unary(request, client=self.made(GzipCompression()))

    def failure(self, error):
        code = [None, *CODES].index(error.code)
        return code, error.message, status_pb2.Status(details=error.details)

    def health(self):
        method = self.method(
            "grpc.health.v1.Health", "Check", health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
        )
        return self.client.execute_unary(request=health_pb2.HealthCheckRequest(), method=method).status


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


def unary(driver):
    message, _ = driver.unary(request(top_k=3))
    assert message.label == "espresso" and len(message.predictions) == 3, message


def server_stream(driver):
    batch = pb.ClassifyBatchRequest(requests=[request(id="a"), request(id="b", image_data=b""), request(id="c")])
    outcomes = {answer.id: answer.WhichOneof("outcome") for answer in driver.stream(batch)}
    assert outcomes == {"a": "response", "b": "error", "c": "response"}, outcomes


def bidi(driver):
    if not hasattr(driver, "bidi"):
        raise NotApplicable("not in gRPC-Web")
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
    assert info(status).reason == "IMAGE_EMPTY"


def utf_8(driver):
    code, message, status = failure(driver, driver.unary, request(model=UTF_8))
    assert code == 5 and UTF_8 in message, f"{code}: {message}"
    if status is not None:
        assert info(status).metadata["model"] == UTF_8


def deadline(driver):
    code, _, status = failure(driver, driver.unary, request(image_data=padded(IMAGE_BYTES_MAX)), timeout=0.003)
    # The library's own clock, or the server's; which also refuses at once what it cannot do in time.
    if code != 4:
        assert code == 8 and (status is None or info(status).reason == "OVERLOADED"), f"the code is {code}"
    driver.unary(request(), timeout=20)


def cancellation(driver):
    if not hasattr(driver, "cancelled"):
        raise NotApplicable("not in its synchronous client")
    since = time.monotonic()
    result = driver.cancelled(request(image_data=padded(IMAGE_BYTES_MAX)))
    try:
        result()
    except grpc.FutureCancelledError:
        pass
    else:
        raise AssertionError("it was answered")
    assert time.monotonic() - since < 1
    driver.unary(request())


def large_message(driver):
    assert driver.unary(request(image_data=padded(IMAGE_BYTES_MAX)))[0].label == "espresso"
    code, message, status = failure(driver, driver.unary, request(image_data=padded(IMAGE_BYTES_MAX + 1)))
    assert code == 3 and (status is None or info(status).reason == "IMAGE_TOO_LARGE"), f"{code}: {message}"


def metadata(driver):
    message, headers = driver.unary(request())
    assert message.request_id and headers["x-request-id"] == message.request_id, headers


def compression(driver):
    if not hasattr(driver, "compressed"):
        raise NotApplicable("not in this library")
    code, message, _ = failure(driver, driver.compressed, request())
    assert code == 12, f"{code}: {message}"  # as the specification wants it of a server that takes none
    return "refused: UNIMPLEMENTED"


def health(driver):
    assert driver.health() == health_pb2.HealthCheckResponse.SERVING


def reflection(driver):
    if not hasattr(driver, "reflection"):
        raise NotApplicable("no client for it")
    services = driver.reflection()
    assert "imageclassifier.ImageClassifier" in services, services


class BufCurl:
    """`buf curl`, which has no call of its own to cancel and gives no access to metadata but by --verbose."""

    def __init__(self, protocol: str) -> None:
        self.name, self.protocol = "buf curl", {"grpc": "gRPC", "grpcweb": "gRPC-Web"}[protocol]
        self.version = version("buf-bin")
        self.flags = ["--protocol", protocol]
        self.flags += ["--http2-prior-knowledge"] if protocol == "grpc" else ["--schema", "../../proto"]

    def call(self, method: str, message: dict, *flags: str) -> subprocess.CompletedProcess:
        path = f"http://{SERVER}/{method}"
        return subprocess.run(
            ["buf", "curl", *self.flags, *flags, "--data", "@-", path],
            input=json.dumps(message),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def cells(self) -> dict[str, dict]:
        import base64

        def outcome(done: subprocess.CompletedProcess, *expected: str) -> dict:
            said = done.stdout + done.stderr
            missing = [text for text in expected if text not in said]
            return {"state": "no", "note": f"{missing[0]} is not in {said[:80]}"} if missing else {"state": "yes"}

        classify = "imageclassifier.ImageClassifier/Classify"
        coffee = base64.b64encode(COFFEE).decode()
        cells = {
            "unary": outcome(self.call(classify, {"imageData": coffee}), '"label": "espresso"'),
            "server stream": outcome(
                self.call(
                    "imageclassifier.ImageClassifier/ClassifyBatch",
                    {"requests": [{"imageData": coffee, "id": "a"}, {"id": "b"}]},
                ),
                "espresso",
                "IMAGE_EMPTY",
            ),
            "error details": outcome(self.call(classify, {}), "invalid_argument", "IMAGE_EMPTY"),
            "UTF-8": outcome(self.call(classify, {"imageData": coffee, "model": UTF_8}), "not_found", UTF_8),
            "large message": outcome(
                self.call(classify, {"imageData": base64.b64encode(padded(IMAGE_BYTES_MAX)).decode()}), "espresso"
            ),
            "metadata": outcome(self.call(classify, {"imageData": coffee}, "--verbose"), "X-Request-Id", "espresso"),
            "deadline": {"state": "none", "note": "has no option for it"},
            "cancellation": {"state": "none", "note": "has no option for it"},
            "compression": {"state": "none", "note": "has no option for it"},
        }
        if self.protocol == "gRPC":
            stream = "imageclassifier.ImageClassifier/ClassifyStream"
            cells["bidi"] = outcome(self.call(stream, {"imageData": coffee, "id": "a"}), "espresso")
            cells["health"] = outcome(self.call("grpc.health.v1.Health/Check", {}), "SERVING")
            cells["reflection"] = outcome(cells_list(self))
        else:
            cells["bidi"] = {"state": "none", "note": "not in gRPC-Web"}
            cells["health"] = {"state": "none", "note": "its schema is not in proto/"}
            cells["reflection"] = {"state": "none", "note": "not over HTTP/1.1"}
        return cells


def cells_list(buf: BufCurl) -> subprocess.CompletedProcess:
    done = subprocess.run(
        ["buf", "curl", *buf.flags, "--list-services", f"http://{SERVER}"], capture_output=True, text=True, timeout=60
    )
    assert "imageclassifier.ImageClassifier" in done.stdout, done.stdout + done.stderr
    return done


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
        note = check(make())  # with a connection of its own
    except NotApplicable as why:
        return {"state": "none", "note": str(why)}
    except Exception as error:
        return {"state": "no", "note": (str(error) or type(error).__name__).splitlines()[0]}
    return {"state": "yes", "note": note} if note else {"state": "yes"}


for make in DRIVERS:
    driver = make()
    cells = {name: cell(check, make) for name, check in CHECKS.items()}
    row = {"name": driver.name, "version": driver.version, "protocol": driver.protocol, "cells": cells}
    print(json.dumps(row), flush=True)
for protocol in ("grpc", "grpcweb"):
    buf = BufCurl(protocol)
    row = {"name": buf.name, "version": buf.version, "protocol": buf.protocol, "cells": buf.cells()}
    print(json.dumps(row), flush=True)
