"""HTTP/2 frames written by hand, to send what no client sends."""

import socket
from collections.abc import Iterator

import hpack

from calls import METHOD

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = (8).to_bytes(4)
INITIAL_WINDOW_SIZE = 4
FRAME_BYTES_MAX = 16384
WINDOW_BYTES = 65535
"""Of a connection, before the peer has granted more."""


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def setting(name: int, value: int) -> bytes:
    return frame(SETTINGS, payload=name.to_bytes(2) + value.to_bytes(4))


def head_of_call(authority: str, method: str = METHOD) -> bytes:
    """A block of headers that leaves nothing in the compressor's table: it can be sent again and again."""
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
    """A socket on which HTTP/2 has begun."""

    def __init__(self, port: int, settings: bytes = frame(SETTINGS)) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(PREFACE + settings)
        self.received = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frames(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Kind, flags, stream and payload of each, until the server ends the connection. Pings and settings are
        acknowledged."""
        while data := self.socket.recv(65536):
            yield from self.take(data)

    def take(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """Those frames that end with the received `data`."""
        self.received += data
        while len(self.received) >= 9 and len(self.received) >= 9 + int.from_bytes(self.received[:3]):
            length, kind, flags = int.from_bytes(self.received[:3]), self.received[3], self.received[4]
            stream, payload = int.from_bytes(self.received[5:9]), self.received[9 : 9 + length]
            self.received = self.received[9 + length :]
            if kind in (PING, SETTINGS) and not flags & ACK:
                self.send(frame(kind, ACK, payload=payload if kind == PING else b""))
            yield kind, flags, stream, payload
