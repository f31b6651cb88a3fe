"""Callers who leave take their queued work with them."""

import os
import socket
import time
from collections.abc import Callable

import grpc

import pictures
from calls import METHOD, TIMEOUT_S, WEB_HEADERS, frame, request
from report import Figure, say
from server import Server, limits

CALLS = 100
QUEUED_MIN = 90
GONE_SECONDS_MAX = 0.1
SETTLED_S = 2
QUEUED_TIMEOUT_S = 20


Queue = Callable[[Server, bytes], Callable[[], None]]


def figures() -> list[Figure]:
    """With a queue that takes all of them: by default, calls that would wait for a second are refused."""
    with Server("cancel", *limits(queue_wait_max=60, deadline=60)) as server:
        message = request(pictures.costly())
        return [figure for name, queue in WAYS.items() for figure in _measured(name, queue, server, message)]


def over_http2(server: Server, message: bytes) -> Callable[[], None]:
    """Queues the calls; gives what makes them leave."""
    channel = grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)])
    method = channel.unary_unary(METHOD)
    futures = [method.future(message, timeout=TIMEOUT_S) for _ in range(CALLS)]

    def leave() -> None:
        for future in futures:
            future.cancel()

    return leave


def over_http1(server: Server, message: bytes) -> Callable[[], None]:
    body = frame(message)
    head = {"host": server.address, "content-length": str(len(body)), **WEB_HEADERS}
    lines = [f"POST {METHOD} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CALLS)]
    for connection in sockets:
        connection.sendall("\r\n".join(lines).encode() + body)

    def leave() -> None:
        for connection in sockets:
            connection.close()

    return leave


WAYS = {"HTTP/2": over_http2, "HTTP/1.1": over_http1}


def _measured(name: str, queue: Queue, server: Server, message: bytes) -> list[Figure]:
    leave = queue(server, message)
    until = time.monotonic() + QUEUED_TIMEOUT_S
    while _in_flight(server) < QUEUED_MIN and time.monotonic() < until:
        time.sleep(0.001)
    queued = _in_flight(server)
    before = server.inferences()
    left_at = time.monotonic()
    leave()
    while _in_flight(server) > 0 and time.monotonic() - left_at < 10:
        time.sleep(0.001)
    gone_s = time.monotonic() - left_at
    time.sleep(SETTLED_S)
    risen = server.inferences() - before
    say(f"cancel: {name}, {queued} queued, {risen} inferences later")
    cores = len(os.sched_getaffinity(0))
    enough = queued >= QUEUED_MIN
    free = f"{gone_s * 1000:.0f} ms"
    what = f"{queued} queued calls leave over {name}"
    return [
        Figure("cancel", f"{what}: inferences after", f"<= {cores}, in work", str(risen), risen <= cores and enough),
        Figure("cancel", f"{what}: places free again", "<= 100 ms", free, gone_s <= GONE_SECONDS_MAX and enough),
    ]


def _in_flight(server: Server) -> int:
    return int(server.metric("imageclassifier_calls_in_flight"))
