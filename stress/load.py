"""Calls to classify, more than can be answered, made with little of the processor, which is the server's too: frames
written by hand, and answers not read before the load has ended."""

import resource
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import hpack

import http2
from calls import CODES, LOST, frame, messages
from http2 import DATA, END_HEADERS, END_STREAM, FRAME_BYTES_MAX, HEADERS, RST_STREAM, WINDOW_UPDATE

CONNECTIONS = 8
STREAMS_MAX = 100
"""Of one connection: the server takes no more."""
ANSWER_SECONDS_MAX = 15
WAKE_S = 0.001


@dataclass(frozen=True)
class Call:
    """What became of a call; `queue_s` is what an answer says of its time in the server's queue."""

    code: str
    begun_at: float
    seconds: float
    queue_s: float = 0


@dataclass(frozen=True)
class Load:
    """All calls in the order of their beginning, the share of one core that making them took, and when the last began."""

    calls: list[Call]
    cpu_share: float
    ended_at: float


@dataclass
class Stream:
    """A call that has been sent, and the answer as far as it has come."""

    begun_at: float
    ended_at: float = 0
    message: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)


class Line(http2.Connection):
    """A connection with the calls on it."""

    def __init__(self, port: int, message: bytes) -> None:
        super().__init__(port)
        # The end of a call must not wait for an acknowledgement, which may take 40 ms.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = http2.head_of_call("localhost")
        framed = frame(message)
        self.parts = [framed[at : at + FRAME_BYTES_MAX] for at in range(0, len(framed), FRAME_BYTES_MAX)]
        self.call_bytes = len(framed)
        assert self.call_bytes <= http2.WINDOW_BYTES, "the window of a stream is not looked at"
        self.window_bytes = http2.WINDOW_BYTES
        self.streams: dict[int, Stream] = {}
        self.blocks: list[tuple[int, bytes]] = []
        self.in_flight = 0

    def has_room(self) -> bool:
        return self.in_flight < STREAMS_MAX and self.window_bytes >= self.call_bytes

    def call(self) -> None:
        stream = 2 * len(self.streams) + 1
        *parts, last = self.parts
        frames = [http2.frame(HEADERS, END_HEADERS, stream, self.head)]
        frames += [http2.frame(DATA, 0, stream, part) for part in parts]
        frames.append(http2.frame(DATA, END_STREAM, stream, last))
        self.streams[stream] = Stream(time.monotonic())
        self.window_bytes -= self.call_bytes
        self.in_flight += 1
        self.send(b"".join(frames))

    def receive(self) -> None:
        for kind, flags, number, payload in self.take(self.socket.recv(1 << 18)):
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

    def calls(self) -> list[Call]:
        """What became of all of them."""
        decoder = hpack.Decoder()
        for number, block in self.blocks:
            self.streams[number].fields |= dict(decoder.decode(block))
        return [_call(stream) for stream in self.streams.values()]


def _call(stream: Stream) -> Call:
    status = stream.fields.get("grpc-status")
    code = CODES[int(status)] if status and stream.ended_at else LOST
    answer = messages().ClassifyImageResponse.FromString(stream.message[5:])
    return Call(code, stream.begun_at, stream.ended_at - stream.begun_at, answer.timings.queue_ms / 1000)


def closed_loop(port: int, message: bytes, in_flight_max: int, seconds: float) -> Load:
    """As many calls in flight as keep every core busy, and no more."""
    return _load(port, message, seconds, lambda _passed, _sent, in_flight: in_flight < in_flight_max)


def open_loop(port: int, message: bytes, rate: float, seconds: float) -> Load:
    """`rate` calls a second, whatever becomes of them."""
    return _load(port, message, seconds, lambda passed, sent, _in_flight: sent <= passed * rate)


def _load(port: int, message: bytes, seconds: float, due: Callable[[float, int, int], bool]) -> Load:
    """Calls whenever one is `due`, by the seconds since the beginning, the calls sent, and those in flight."""
    lines = [Line(port, message) for _ in range(CONNECTIONS)]
    poll = select.poll()
    by_descriptor = {line.socket.fileno(): line for line in lines}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    begun_at, cpu_s, sent, ended_at = time.monotonic(), _cpu_s(), 0, 0.0
    while (passed := time.monotonic() - begun_at) < seconds + ANSWER_SECONDS_MAX:
        in_flight = sum(line.in_flight for line in lines)
        if passed < seconds:
            line = min(lines, key=lambda line: (not line.has_room(), line.in_flight))
            if due(passed, sent, in_flight) and line.has_room():
                line.call()
                sent += 1
                continue
        elif not ended_at:
            ended_at, share = time.monotonic(), (_cpu_s() - cpu_s) / passed
        elif not in_flight:
            break
        for descriptor, _ in poll.poll(WAKE_S * 1000):
            by_descriptor[descriptor].receive()
    calls = [call for line in lines for call in line.calls()]
    for line in lines:
        line.socket.close()
    return Load(sorted(calls, key=lambda call: call.begun_at), share, ended_at)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
