"""The server removes cancelled requests from its queue and does not compute them."""

import os
import socket
import time
from collections.abc import Callable

import grpc

import images
from clients import METHOD, TIMEOUT_S, WEB_HEADERS, grpc_frame, request
from report import Figure, report_progress
from server import Server, duration_options

REQUESTS = 100
QUEUED_MIN = 90
CANCEL_SECONDS_MAX = 0.1
SETTLE_S = 2
QUEUED_TIMEOUT_S = 20


SendRequests = Callable[[Server, bytes], Callable[[], None]]


def figures() -> list[Figure]:
    """Uses a long queue, because by default the server rejects requests that would wait for more than a second."""
    with Server("cancel", *duration_options(queue_wait_max=60, deadline=60)) as server:
        message = request(images.costly())
        return [figure for name, send in PROTOCOLS.items() for figure in _measure(name, send, server, message)]


def over_http2(server: Server, message: bytes) -> Callable[[], None]:
    """Sends the requests, and returns a function that cancels them."""
    channel = grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)])
    method = channel.unary_unary(METHOD)
    futures = [method.future(message, timeout=TIMEOUT_S) for _ in range(REQUESTS)]

    def cancel() -> None:
        for future in futures:
            future.cancel()

    return cancel


def over_http1(server: Server, message: bytes) -> Callable[[], None]:
    """As `over_http2`, but cancels the requests by closing their connections."""
    body = grpc_frame(message)
    headers = {"host": server.address, "content-length": str(len(body)), **WEB_HEADERS}
    lines = [f"POST {METHOD} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(REQUESTS)]
    for connection in sockets:
        connection.sendall("\r\n".join(lines).encode() + body)

    def cancel() -> None:
        for connection in sockets:
            connection.close()

    return cancel


PROTOCOLS = {"HTTP/2": over_http2, "HTTP/1.1": over_http1}


def _measure(name: str, send: SendRequests, server: Server, message: bytes) -> list[Figure]:
    cancel = send(server, message)
    until = time.monotonic() + QUEUED_TIMEOUT_S
    while _in_flight(server) < QUEUED_MIN and time.monotonic() < until:
        time.sleep(0.001)
    queued = _in_flight(server)
    before = server.inferences()
    cancelled_at = time.monotonic()
    cancel()
    while _in_flight(server) > 0 and time.monotonic() - cancelled_at < 10:
        time.sleep(0.001)
    free_s = time.monotonic() - cancelled_at
    time.sleep(SETTLE_S)
    inferences = server.inferences() - before
    report_progress(f"cancel: {name}, {queued} requests queued, {inferences} inferred after the cancellation")
    cores = len(os.sched_getaffinity(0))
    enough = queued >= QUEUED_MIN
    what = f"{queued} queued requests cancelled over {name}"
    few_inferences = inferences <= cores and enough
    soon_free = free_s <= CANCEL_SECONDS_MAX and enough
    return [
        Figure("cancel", f"{what}: inferences", f"<= {cores}, already running", str(inferences), few_inferences),
        Figure("cancel", f"{what}: queue slots free", "<= 100 ms", f"{free_s * 1000:.0f} ms", soon_free),
    ]


def _in_flight(server: Server) -> int:
    return int(server.metric("imageclassifier_calls_in_flight"))
