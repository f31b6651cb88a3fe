"""Calls to classify, over gRPC with grpcio and over gRPC-Web with HTTP/1.1 written by hand."""

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

from report import MADE, ROOT

METHOD = "/imageclassifier.ImageClassifier/Classify"
WEB_HEADERS = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
TIMEOUT_S = 60
CODES = {code.value[0]: code.name for code in grpc.StatusCode}
LOST = "LOST"
"""Instead of a code: the connection ended without an answer."""
REFUSED = "CONNECTION_REFUSED"
"""Instead of a code: nobody listens, so nothing was accepted."""


@dataclass(frozen=True)
class Answer:
    """What a call ended with: the name of a gRPC status code, or `LOST`, or `REFUSED`."""

    code: str
    details: bytes
    begun_at: float
    ended_at: float
    message: bytes = b""

    @property
    def seconds(self) -> float:
        return self.ended_at - self.begun_at


def messages() -> Any:
    """The contract's Python code."""
    with _generating:
        return _generated()


_generating = threading.Lock()
"""Threads that begin together would write the code beneath each other."""


@functools.cache
def _generated() -> Any:
    folder = MADE / "code"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [f"-I{ROOT / 'proto'}", f"--python_out={folder}", "image_classifier.proto"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    sys.path.insert(0, str(folder))
    import image_classifier_pb2

    return image_classifier_pb2


def request(picture: bytes) -> bytes:
    return messages().ClassifyImageRequest(image_data=picture).SerializeToString()


def frame(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, length, message."""
    return b"\0" + len(message).to_bytes(4) + message


class Native:
    """gRPC on one HTTP/2 connection of its own."""

    def __init__(self, address: str) -> None:
        # grpcio's retries stay as they are: a call that meets a GOAWAY has not been sent, and goes to a new connection.
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.method = self.channel.unary_unary(METHOD)

    def classify(self, message: bytes, timeout_s: float = TIMEOUT_S) -> Answer:
        begun_at = time.monotonic()
        try:
            answer = self.method(message, timeout=timeout_s)
            return Answer("OK", b"", begun_at, time.monotonic(), answer)
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            details = trailers.get("grpc-status-details-bin", b"")
            code = _code(error, details)
            return Answer(code, details or error.debug_error_string().encode(), begun_at, time.monotonic())

    def close(self) -> None:
        self.channel.close()


def _code(error: Any, details: bytes) -> str:
    """UNAVAILABLE without our details was made up by grpcio."""
    if error.code() != grpc.StatusCode.UNAVAILABLE or details:
        return error.code().name
    return REFUSED if "onnection refused" in error.debug_error_string() else LOST


class Web:
    """gRPC-Web over HTTP/1.1, on one connection as long as the server keeps it open."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection: http.client.HTTPConnection | None = None

    def classify(self, message: bytes, timeout_s: float = TIMEOUT_S) -> Answer:
        begun_at = time.monotonic()
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=timeout_s)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request("POST", METHOD, frame(message), WEB_HEADERS)
            response = self.connection.getresponse()
            body = response.read()
            if response.will_close:
                self.close()
            code, details, answer = read_web(dict(response.getheaders()), body)
            return Answer(code, details, begun_at, time.monotonic(), answer)
        except ConnectionRefusedError:
            self.close()
            return Answer(REFUSED, b"", begun_at, time.monotonic())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(LOST, repr(error).encode(), begun_at, time.monotonic())

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def read_web(headers: dict[str, str], body: bytes) -> tuple[str, bytes, bytes]:
    """Code, details and message of a gRPC-Web answer; its status is in the head or in the last frame."""
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


CLIENTS: dict[str, Callable[[str], Native | Web]] = {"gRPC": Native, "gRPC-Web": Web}
