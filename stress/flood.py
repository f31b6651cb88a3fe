"""HTTP/2 floods: the server's memory stays bounded, and other clients' requests still succeed."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event

import http2
import images
from clients import GrpcClient, Response, request
from http2 import (
    ACK,
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    FRAME_BYTES_MAX,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
)
from report import MIB, Figure, counted, report_progress
from server import Server

SECONDS = 10
CONNECTIONS = 4
BATCH = 200
"""Frames per write."""
STREAMS = 20_000
"""Streams per connection."""
GROWTH_BYTES_MAX = 50 * MIB
OK_SHARE_MIN = 0.99
CLIENT_PAUSE_S = 0.1


def figures() -> list[Figure]:
    with Server("flood") as server:
        return [figure for name in FLOODS for figure in _measure(name, server)]


def rapid_reset(headers: bytes) -> Iterator[bytes]:
    """Opens streams and resets them at once (CVE-2023-44487)."""
    for first in range(1, 2 * STREAMS, 2 * BATCH):
        yield b"".join(
            http2.frame(HEADERS, END_HEADERS, stream, headers) + http2.frame(RST_STREAM, 0, stream, CANCEL)
            for stream in range(first, first + 2 * BATCH, 2)
        )


def continuation(headers: bytes) -> Iterator[bytes]:
    """Sends headers that never end (CVE-2024-27316 and others)."""
    yield http2.frame(HEADERS, 0, 1, headers)
    part = b"\x00\x01x\x01y" * (FRAME_BYTES_MAX // 5)
    for _ in range(STREAMS):
        yield http2.frame(CONTINUATION, 0, 1, part)


def settings(headers: bytes) -> Iterator[bytes]:
    """Sends settings and never reads the acknowledgements (CVE-2019-9515)."""
    for _ in range(STREAMS):
        yield http2.setting(http2.INITIAL_WINDOW_SIZE, 65535) * BATCH


def ping(headers: bytes) -> Iterator[bytes]:
    """Sends pings and never reads the responses (CVE-2019-9512)."""
    for _ in range(STREAMS):
        yield http2.frame(PING, payload=bytes(8)) * BATCH


def empty_data(headers: bytes) -> Iterator[bytes]:
    """Sends empty DATA frames without end (CVE-2019-9518)."""
    streams = range(1, 200, 2)
    yield b"".join(http2.frame(HEADERS, END_HEADERS, stream, headers) for stream in streams)
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
    """Floods several connections in turn, and replaces each one that the server closes. Never reads."""
    headers = http2.request_headers("localhost")
    floods: list[tuple[socket.socket, Iterator[bytes]] | None] = [None] * CONNECTIONS
    writes = connections = 0
    while not ended.is_set():
        for at, flood in enumerate(floods):
            try:
                if flood is None:
                    connection = http2.Connection(port).socket
                    connection.send(http2.frame(SETTINGS, ACK))
                    connection.settimeout(0.05)
                    flood = floods[at] = connection, FLOODS[name](headers)
                    connections += 1
                connection, parts = flood
                connection.sendall(next(parts))
                writes += 1
            except TimeoutError:
                # The server has stopped reading. Keep the connection open in this state.
                time.sleep(0.01)
            except (OSError, StopIteration):
                if flood is not None:
                    flood[0].close()
                floods[at] = None
    sent.put((writes, connections))


def _measure(name: str, server: Server) -> list[Figure]:
    context = multiprocessing.get_context("spawn")
    ended, sent = context.Event(), context.Queue()
    message = request(images.small())
    GrpcClient(server.address).classify(message)
    server.reset_peak()
    before = server.resident_bytes()
    attacker = context.Process(target=attack, args=(name, server.port, ended, sent))
    attacker.start()
    responses: list[Response] = []
    client = threading.Thread(target=_classify, args=(server, message, responses, time.monotonic() + SECONDS))
    client.start()
    client.join()
    ended.set()
    writes, connections = sent.get(timeout=30)
    attacker.join()
    growth = server.peak_bytes() - before
    codes = [response.code for response in responses]
    slowest = max(response.seconds for response in responses)
    report_progress(f"flood: {name}: {writes} writes on {connections} connections; slowest request {slowest:.2f} s")
    ok = codes.count("OK") / len(codes) >= OK_SHARE_MIN and server.alive()
    return [
        Figure("flood", f"{name}: memory", "+ <= 50 MiB", f"+ {growth / MIB:.1f} MiB", growth <= GROWTH_BYTES_MAX),
        Figure("flood", f"{name}: other clients' requests", ">= 99 % OK", counted(codes), ok),
    ]


def _classify(server: Server, message: bytes, responses: list[Response], until: float) -> None:
    client = GrpcClient(server.address)
    while time.monotonic() < until:
        responses.append(client.classify(message))
        time.sleep(CLIENT_PAUSE_S)
    client.close()
