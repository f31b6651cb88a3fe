"""Clients for Classify: gRPC with grpcio, and gRPC-Web over a plain HTTP/1.1 connection."""

import base64
import functools
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from report import OUTPUT, ROOT

METHOD = "/imageclassifier.ImageClassifier/Classify"
WEB_HEADERS = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
TIMEOUT_S = 60
CODES = {code.value[0]: code.name for code in grpc.StatusCode}
LOST = "LOST"
"""Instead of a code: the connection ended without a response."""
REFUSED = "CONNECTION_REFUSED"
"""Instead of a code: nothing listens on the port, so the request was not accepted."""


@dataclass(frozen=True)
class Response:
    """The outcome of a request. `code` is the name of a gRPC status code, `LOST` or `REFUSED`."""

    code: str
    details: bytes
    started_at: float
    ended_at: float
    message: bytes = b""

    @property
    def seconds(self) -> float:
        return self.ended_at - self.started_at


def messages() -> Any:
    """The module with the contract's generated Python code."""
    with _generate_lock:
        return _generated()


_generate_lock = threading.Lock()
"""Keeps threads that start together from writing the code at the same time."""


@functools.cache
def _generated() -> Any:
    folder = OUTPUT / "code"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [f"-I{ROOT / 'proto'}", f"--python_out={folder}", "image_classifier.proto"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    sys.path.insert(0, str(folder))
    import image_classifier_pb2

    return image_classifier_pb2


def request(image: bytes) -> bytes:
    return messages().ClassifyImageRequest(image_data=image).SerializeToString()


def grpc_frame(message: bytes) -> bytes:
    """The message with gRPC's prefix: a zero byte for "not compressed", and its length."""
    return b"\0" + len(message).to_bytes(4) + message


class GrpcClient:
    """A gRPC client with its own HTTP/2 connection."""

    def __init__(self, address: str) -> None:
        # grpcio's retries stay enabled: a request that meets a GOAWAY was not sent, and moves to a new connection.
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.method = self.channel.unary_unary(METHOD)

    def classify(self, message: bytes, timeout_s: float = TIMEOUT_S) -> Response:
        started_at = time.monotonic()
        try:
            response = self.method(message, timeout=timeout_s)
            return Response("OK", b"", started_at, time.monotonic(), response)
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            details = trailers.get("grpc-status-details-bin", b"")
            code = _code(error, details)
            return Response(code, details or error.debug_error_string().encode(), started_at, time.monotonic())

    def close(self) -> None:
        self.channel.close()


def _code(error: Any, details: bytes) -> str:
    """The name of the code. UNAVAILABLE without details comes from grpcio, because the server always sends details."""
    if error.code() != grpc.StatusCode.UNAVAILABLE or details:
        return error.code().name
    return REFUSED if "onnection refused" in error.debug_error_string() else LOST


class GrpcWebClient:
    """A gRPC-Web client over HTTP/1.1. It uses one connection for as long as the server keeps it open."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection: http.client.HTTPConnection | None = None

    def classify(self, message: bytes, timeout_s: float = TIMEOUT_S) -> Response:
        started_at = time.monotonic()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=timeout_s)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request("POST", METHOD, grpc_frame(message), WEB_HEADERS)
            response = self.connection.getresponse()
            body = response.read()
            if response.will_close:
                self.close()
            code, details, received = read_web(dict(response.getheaders()), body)
            return Response(code, details, started_at, time.monotonic(), received)
        except ConnectionRefusedError:
            self.close()
            return Response(REFUSED, b"", started_at, time.monotonic())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Response(LOST, repr(error).encode(), started_at, time.monotonic())

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def read_web(headers: dict[str, str], body: bytes) -> tuple[str, bytes, bytes]:
    """Code, details and message of a gRPC-Web response. The status is in the headers or in the last frame."""
    fields = {name.lower(): value for name, value in headers.items()}
    message = b""
    while len(body) >= 5:
        kind, length = body[0], int.from_bytes(body[1:5])
        content, body = body[5 : 5 + length], body[5 + length :]
        if kind & 0x80:
            pairs = (line.split(":", 1) for line in content.decode().split("\r\n") if ":" in line)
            fields |= {name.lower(): value.strip() for name, value in pairs}
        else:
            message = content
    details = fields.get("grpc-status-details-bin", "")
    code = CODES.get(int(fields.get("grpc-status", "-1")), "NO_STATUS")
    return code, base64.b64decode(details + "=" * (-len(details) % 4)), message


CLIENTS: dict[str, Callable[[str], GrpcClient | GrpcWebClient]] = {
    "gRPC": GrpcClient,
    "gRPC-Web": GrpcWebClient,
}
