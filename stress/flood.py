"""Floods of HTTP/2 frames cost the server no memory and other callers no answers."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event

import http2
import pictures
from calls import Answer, Native, request
from http2 import ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, FRAME_BYTES_MAX, HEADERS, PING, RST_STREAM, SETTINGS
from report import MIB, Figure, counted, say
from server import Server

SECONDS = 10
CONNECTIONS = 4
BATCH = 200
"""Frames a write."""
STREAMS = 20_000
"""Of one connection, before the next."""
GROWTH_BYTES_MAX = 50 * MIB
OK_SHARE_MIN = 0.99
LEGITIMATE_PAUSE_S = 0.1


def figures() -> list[Figure]:
    with Server("flood") as server:
        return [figure for name in FLOODS for figure in _measured(name, server)]


def rapid_reset(head: bytes) -> Iterator[bytes]:
    """Streams that are opened and reset at once (CVE-2023-44487)."""
    for first in range(1, 2 * STREAMS, 2 * BATCH):
        yield b"".join(
            http2.frame(HEADERS, END_HEADERS, stream, head) + http2.frame(RST_STREAM, 0, stream, CANCEL)
            for stream in range(first, first + 2 * BATCH, 2)
        )


def continuation(head: bytes) -> Iterator[bytes]:
    """Headers that do not end (CVE-2024-27316 and others)."""
    yield http2.frame(HEADERS, 0, 1, head)
    part = b"\x00\x01x\x01y" * (FRAME_BYTES_MAX // 5)
    for _ in range(STREAMS):
        yield http2.frame(CONTINUATION, 0, 1, part)


def settings(head: bytes) -> Iterator[bytes]:
    """Settings, each of which has to be acknowledged, to somebody who does not read (CVE-2019-9515)."""
    for _ in range(STREAMS):
        yield http2.setting(http2.INITIAL_WINDOW_SIZE, 65535) * BATCH


def ping(head: bytes) -> Iterator[bytes]:
    """Pings, each of which has to be answered, to somebody who does not read (CVE-2019-9512)."""
    for _ in range(STREAMS):
        yield http2.frame(PING, payload=bytes(8)) * BATCH


def empty_data(head: bytes) -> Iterator[bytes]:
    """A message that goes on and on without a byte (CVE-2019-9518)."""
    streams = range(1, 200, 2)
    yield b"".join(http2.frame(HEADERS, END_HEADERS, stream, head) for stream in streams)
    for _ in range(STREAMS):
        yield b"".join(http2.frame(DATA, 0, stream) for stream in streams) * 2


FLOODS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "rapid reset": rapid_reset,
    "CONTINUATION": continuation,
    "SETTINGS": settings,
    "PING": ping,
    "empty DATA": empty_data,
}


def attack(name: str, port: int, ended: Event, sent: "multiprocessing.Queue[tuple[int, int]]") -> None:
    """On several connections in turn, each replaced when the server ends it. Nothing is ever read."""
    head = http2.head_of_call("localhost")
    floods: list[tuple[socket.socket, Iterator[bytes]] | None] = [None] * CONNECTIONS
    writes = connections = 0
    while not ended.is_set():
        for at, flood in enumerate(floods):
            try:
                if flood is None:
                    connection = http2.Connection(port).socket
                    connection.send(http2.frame(SETTINGS, ACK))
                    connection.settimeout(0.05)
                    flood = floods[at] = connection, FLOODS[name](head)
                    connections += 1
                connection, parts = flood
                connection.sendall(next(parts))
                writes += 1
            except TimeoutError:
                # The server has stopped reading: hold it like this for the rest of the time.
                time.sleep(0.01)
            except (OSError, StopIteration):
                if flood is not None:
                    flood[0].close()
                floods[at] = None
    sent.put((writes, connections))


def _measured(name: str, server: Server) -> list[Figure]:
    context = multiprocessing.get_context("spawn")
    ended, sent = context.Event(), context.Queue()
    message = request(pictures.small())
    Native(server.address).classify(message)
    server.forget_peak()
    before = server.resident_bytes()
    attacker = context.Process(target=attack, args=(name, server.port, ended, sent))
    attacker.start()
    answers: list[Answer] = []
    caller = threading.Thread(target=_call, args=(server, message, answers, time.monotonic() + SECONDS))
    caller.start()
    caller.join()
    ended.set()
    writes, connections = sent.get(timeout=30)
    attacker.join()
    grown = server.peak_bytes() - before
    codes = [answer.code for answer in answers]
    slowest = max(answer.seconds for answer in answers)
    say(f"flood: {name}: {writes} writes on {connections} connections; slowest call {slowest:.2f} s")
    share = codes.count("OK") / len(codes)
    return [
        Figure("flood", f"{name}: memory", "+ <= 50 MiB", f"+ {grown / MIB:.1f} MiB", grown <= GROWTH_BYTES_MAX),
        Figure(
            "flood", f"{name}: calls of others", ">= 99 % OK", counted(codes), share >= OK_SHARE_MIN and server.alive()
        ),
    ]


def _call(server: Server, message: bytes, answers: list[Answer], until: float) -> None:
    client = Native(server.address)
    while time.monotonic() < until:
        answers.append(client.classify(message))
        time.sleep(LEGITIMATE_PAUSE_S)
    client.close()
