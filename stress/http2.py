"""Raw HTTP/2 frames, for traffic that no client library sends."""

import socket
from collections.abc import Iterator

import hpack

from clients import METHOD

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = (8).to_bytes(4)
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES_MAX = 16384
WINDOW_BYTES = 65535
"""A connection's initial flow-control window."""
WINDOW_BYTES_MAX = (1 << 31) - 1


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def setting(name: int, value: int) -> bytes:
    return frame(SETTINGS, payload=name.to_bytes(2) + value.to_bytes(4))


def request_headers(authority: str, method: str = METHOD) -> bytes:
    """Encoded request headers. They add nothing to the compressor's table, so the same bytes can be sent repeatedly."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": method,
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
    }
    encoder = hpack.Encoder()
    encoder.header_table_size = 0
    return encoder.encode([hpack.NeverIndexedHeaderTuple(name, value) for name, value in fields.items()])


class Connection:
    """A socket that has sent the HTTP/2 preface and its settings."""

    def __init__(self, port: int, settings: bytes = frame(SETTINGS)) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(PREFACE + settings)
        self.received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and payload of each frame, until the server closes the connection. Acknowledges pings and
        settings."""
        while data := self.socket.recv(65536):
            yield from self.parse(data)

    def parse(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """The frames that are complete after `data` has been received."""
        self.received += data
        while len(self.received) >= 9 and len(self.received) >= 9 + int.from_bytes(self.received[:3]):
            length, kind, flags = int.from_bytes(self.received[:3]), self.received[3], self.received[4]
            stream, payload = int.from_bytes(self.received[5:9]), self.received[9 : 9 + length]
            self.received = self.received[9 + length :]
            if kind in (PING, SETTINGS) and not flags & ACK:
                self.send(frame(kind, ACK, payload=payload if kind == PING else b""))
            yield kind, flags, stream, payload
