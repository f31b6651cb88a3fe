"""A load generator that uses little CPU time, because it shares the cores with the server. It sends raw frames, and decodes
the responses only after the load has ended."""

import resource
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import hpack

import http2
from clients import CODES, LOST, grpc_frame, messages
from http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES_MAX,
    HEADERS,
    RST_STREAM,
    WINDOW_UPDATE,
)

CONNECTIONS = 8
STREAMS_MAX = 100
"""Concurrent streams per connection. The server accepts no more."""
RESPONSE_SECONDS_MAX = 15
POLL_S = 0.001


@dataclass(frozen=True)
class Outcome:
    """The outcome of a request. `queue_s` is the response's time in the server's queue."""

    code: str
    started_at: float
    seconds: float
    queue_s: float = 0


@dataclass(frozen=True)
class Load:
    """The outcomes in the order in which the requests started, the generator's share of one core, and the end of the load."""

    outcomes: list[Outcome]
    cpu_share: float
    ended_at: float


@dataclass
class Stream:
    """A request that has been sent, and the part of the response that has been received."""

    started_at: float
    ended_at: float = 0
    message: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)


class LoadConnection(http2.Connection):
    """A connection and its requests."""

    def __init__(self, port: int, message: bytes) -> None:
        super().__init__(port)
        # Otherwise the end of a request waits for an acknowledgement, which may take 40 ms.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The responses of a minute need more than a connection's initial window.
        self.send(http2.frame(WINDOW_UPDATE, payload=(http2.WINDOW_BYTES_MAX - http2.WINDOW_BYTES).to_bytes(4)))
        self.headers = http2.request_headers("localhost")
        framed = grpc_frame(message)
        self.parts = [framed[at : at + FRAME_BYTES_MAX] for at in range(0, len(framed), FRAME_BYTES_MAX)]
        self.request_bytes = len(framed)
        assert self.request_bytes <= http2.WINDOW_BYTES, "the generator does not track the windows of streams"
        self.window_bytes = http2.WINDOW_BYTES
        self.streams: dict[int, Stream] = {}
        self.blocks: list[tuple[int, bytes]] = []
        self.in_flight = 0
        self.is_open = True

    def has_room(self) -> bool:
        return self.is_open and self.in_flight < STREAMS_MAX and self.window_bytes >= self.request_bytes

    def send_request(self) -> None:
        stream = 2 * len(self.streams) + 1
        *parts, last = self.parts
        frames = [http2.frame(HEADERS, END_HEADERS, stream, self.headers)]
        frames += [http2.frame(DATA, 0, stream, part) for part in parts]
        frames.append(http2.frame(DATA, END_STREAM, stream, last))
        self.streams[stream] = Stream(time.monotonic())
        self.window_bytes -= self.request_bytes
        self.in_flight += 1
        try:
            self.send(b"".join(frames))
        except OSError:
            self.end()

    def end(self) -> None:
        """The server has closed the connection: what it still owes is lost."""
        self.is_open = False
        self.in_flight = 0
        for stream in self.streams.values():
            stream.ended_at = stream.ended_at or time.monotonic()

    def receive(self) -> None:
        try:
            data = self.socket.recv(1 << 18)
            self._take(data)
        except OSError:
            data = b""
        if not data:
            self.end()

    def _take(self, data: bytes) -> None:
        for kind, flags, number, payload in self.parse(data):
            if kind == WINDOW_UPDATE and number == 0:
                self.window_bytes += int.from_bytes(payload)
            stream = self.streams.get(number)
            if stream is None:
                continue
            if kind == HEADERS:
                self.blocks.append((number, payload))
            elif kind == DATA:
                stream.message += payload
            ended = kind in (HEADERS, DATA) and flags & END_STREAM or kind == RST_STREAM
            if ended and not stream.ended_at:
                stream.ended_at = time.monotonic()
                self.in_flight -= 1

    def outcomes(self) -> list[Outcome]:
        decoder = hpack.Decoder()
        for number, block in self.blocks:
            self.streams[number].fields |= dict(decoder.decode(block))
        return [_outcome(stream) for stream in self.streams.values()]


def _outcome(stream: Stream) -> Outcome:
    status = stream.fields.get("grpc-status")
    code = CODES[int(status)] if status else LOST
    prefix, message = stream.message[:5], stream.message[5:]
    if len(message) < int.from_bytes(prefix[1:]):
        # The server died while it responded.
        return Outcome(LOST, stream.started_at, stream.ended_at - stream.started_at)
    response = messages().ClassifyImageResponse.FromString(message)
    return Outcome(code, stream.started_at, stream.ended_at - stream.started_at, response.timings.queue_ms / 1000)


def closed_loop(port: int, message: bytes, in_flight_max: int, seconds: float) -> Load:
    """Keeps `in_flight_max` requests in flight."""
    return _load(port, message, seconds, lambda _elapsed_s, _sent, in_flight: in_flight < in_flight_max)


def open_loop(port: int, message: bytes, rate: float, seconds: float) -> Load:
    """Sends `rate` requests per second, whether or not the server responds."""
    return _load(port, message, seconds, lambda elapsed_s, sent, _in_flight: sent <= elapsed_s * rate)


def at_times(port: int, message: bytes, times_s: Sequence[float], seconds: float) -> Load:
    """Sends a request at each of these times, seconds after the start, whether or not the server responds."""
    return _load(
        port, message, seconds, lambda elapsed_s, sent, _in_flight: sent < len(times_s) and times_s[sent] <= elapsed_s
    )


def _load(port: int, message: bytes, seconds: float, due: Callable[[float, int, int], bool]) -> Load:
    """Sends a request whenever `due` returns true for the seconds since the start, the requests sent and those in flight."""
    connections = [LoadConnection(port, message) for _ in range(CONNECTIONS)]
    poll = select.poll()
    by_descriptor = {connection.socket.fileno(): connection for connection in connections}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    started_at, cpu_s, sent, ended_at = time.monotonic(), _cpu_s(), 0, 0.0
    while (elapsed_s := time.monotonic() - started_at) < seconds + RESPONSE_SECONDS_MAX:
        in_flight = sum(connection.in_flight for connection in connections)
        if elapsed_s < seconds:
            connection = min(connections, key=lambda connection: (not connection.has_room(), connection.in_flight))
            if due(elapsed_s, sent, in_flight) and connection.has_room():
                connection.send_request()
                sent += 1
                continue
        elif not ended_at:
            ended_at, share = time.monotonic(), (_cpu_s() - cpu_s) / elapsed_s
        elif not in_flight:
            break
        for descriptor, _ in poll.poll(POLL_S * 1000):
            by_descriptor[descriptor].receive()
            if not by_descriptor[descriptor].is_open:
                poll.unregister(descriptor)
    for connection in connections:
        connection.end()
    outcomes = [outcome for connection in connections for outcome in connection.outcomes()]
    for connection in connections:
        connection.socket.close()
    return Load(sorted(outcomes, key=lambda outcome: outcome.started_at), share, ended_at)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
