"""The server closes a thousand slow peers of each kind at their deadlines, and other clients are not affected.

The server's options shorten all deadlines except the first, so that the scenario takes only minutes. The same code enforces
them.
"""

import contextlib
import resource
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import http2
import images
from clients import METHOD, WEB_HEADERS, GrpcClient, grpc_frame, request
from report import MIB, Figure, report_progress
from server import Server, duration_options

PEERS = 1000
FIRST_S, UPLOAD_S, WRITE_S, IDLE_S = 10, 8, 8, 5
"""FIRST_S is the server's default. It must be longer than it takes to connect all peers."""
SLACK_S = 2
DRIP_S = 0.5
PROBE_S = 0.2
PROBE_TIMEOUT_S = 5
GROWTH_MIB_MAX = 256
GET_MODEL = "/imageclassifier.ImageClassifier/GetModel"
PIPELINED = 40
"""Pipelined requests per connection. Each response has 20 kB of labels, so that they overflow the connection's buffers."""


@dataclass(frozen=True)
class Kind:
    """A kind of slow peer: `connect` opens a connection, and `drip` is called on it repeatedly. The server must close it
    after `seconds`."""

    name: str
    seconds: float
    connect: Callable[[int], socket.socket]
    drip: Callable[[socket.socket], object] = lambda peer: None


def figures() -> list[Figure]:
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    measured = []
    for kind in KINDS:
        with Server("slow", *OPTIONS) as server:
            measured += _measure(kind, server)
    return measured


OPTIONS = duration_options(
    first_request_timeout=FIRST_S, upload_timeout=UPLOAD_S, write_timeout=WRITE_S, idle_timeout=IDLE_S
)


def sends(first: bytes, then: bytes = b"", receive_bytes: int = 0) -> dict[str, Callable]:
    """Peers that send `first` once and `then` repeatedly."""

    def connect(port: int) -> socket.socket:
        peer = socket.socket()
        if receive_bytes:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        peer.connect(("127.0.0.1", port))
        peer.sendall(first)
        return peer

    return {"connect": connect, "drip": lambda peer: then and peer.send(then)}


def no_window() -> dict[str, Callable]:
    """HTTP/2 peers that send a request and acknowledge pings, but never open the window for the response."""

    def connect(port: int) -> socket.socket:
        connection = http2.Connection(port, http2.setting(http2.INITIAL_WINDOW_SIZE, 0))
        headers = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.request_headers("localhost", GET_MODEL))
        connection.send(headers + http2.frame(http2.DATA, http2.END_STREAM, 1, grpc_frame(b"")))
        connection.socket.setblocking(False)
        return connection.socket

    def acknowledge_pings(peer: socket.socket) -> None:
        received = peer.recv(65536)
        at = received.find(b"\0\0\x08\x06\0")
        if at >= 0:
            peer.send(http2.frame(http2.PING, http2.ACK, payload=received[at + 9 : at + 17]))

    return {"connect": connect, "drip": acknowledge_pings}


def _http1(method: str, length: int) -> bytes:
    headers = {"host": "localhost", "content-length": str(length), **WEB_HEADERS}
    return "\r\n".join(
        [f"POST {method} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    ).encode()


def _kinds() -> list[Kind]:
    preface = http2.PREFACE + http2.frame(http2.SETTINGS)
    headers = http2.request_headers("localhost")
    partial_headers = preface + http2.frame(http2.HEADERS, 0, 1, headers[:20])
    headers_frame = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, headers)
    partial_body = preface + headers_frame + http2.frame(http2.DATA, 0, 1, b"\0\0\1\0\0")
    http1_requests = (_http1(GET_MODEL, 5) + grpc_frame(b"")) * PIPELINED
    get_model = http2.request_headers("localhost", GET_MODEL)
    http2_requests = b"".join(
        http2.frame(http2.HEADERS, http2.END_HEADERS, stream, get_model)
        + http2.frame(http2.DATA, http2.END_STREAM, stream, grpc_frame(b""))
        for stream in range(1, 2 * PIPELINED, 2)
    )
    return [
        Kind("no bytes", FIRST_S, **sends(b"")),
        Kind("partial preface", FIRST_S, **sends(http2.PREFACE[:10])),
        Kind("partial header, HTTP/1.1", FIRST_S, **sends(b"POST / HTTP/1.1\r\nhost: localhost\r\nx: ", b"a")),
        Kind("partial header, HTTP/2", FIRST_S, **sends(partial_headers)),
        Kind("slow body, HTTP/1.1", UPLOAD_S + IDLE_S, **sends(_http1(METHOD, 1000) + b"\0\0\0\3\xe3", b"a")),
        Kind("slow body, HTTP/2", UPLOAD_S + IDLE_S, **sends(partial_body, http2.frame(http2.DATA, 0, 1, b"a"))),
        Kind("slow read, HTTP/1.1", WRITE_S + IDLE_S, **sends(http1_requests, receive_bytes=4096)),
        Kind("slow read, HTTP/2", WRITE_S + IDLE_S, **sends(preface + http2_requests, receive_bytes=4096)),
        Kind("closed window, HTTP/2", WRITE_S + IDLE_S, **no_window()),
    ]


KINDS = _kinds()


def _measure(kind: Kind, server: Server) -> list[Figure]:
    server.reset_peak()
    before = server.resident_bytes()
    started_at = time.monotonic()
    with Probes(server) as probes:
        peers = [kind.connect(server.port) for _ in range(PEERS)]
        connected_s = time.monotonic() - started_at
        allowed_s = kind.seconds + connected_s + SLACK_S
        open_max = _wait_until_closed(kind, server, peers, started_at + allowed_s + SLACK_S)
        closed_s = time.monotonic() - started_at
        still_open = _open_peers(server)
    growth = (server.peak_bytes() - before) / MIB
    for peer in peers:
        peer.close()
    progress = f"at most {open_max} open at once, connected in {connected_s:.1f} s"
    report_progress(f"slow: {kind.name}: {progress}, {still_open} still open after {closed_s:.1f} s")
    name = f"{PEERS} x {kind.name}"
    closed = f"{still_open} still open after {closed_s:.1f} s" if still_open else f"{closed_s:.1f} s"
    target = f"<= {kind.seconds} s, + {connected_s + SLACK_S:.1f} s to connect and to poll"
    probed = f"{probes.succeeded} of {probes.sent}"
    return [
        Figure("slow", f"{name}: closed", target, closed, not still_open and closed_s <= allowed_s),
        Figure("slow", f"{name}: probes", "100 %", probed, probes.succeeded == probes.sent > 0),
        Figure("slow", f"{name}: memory", "+ <= 256 MiB", f"+ {growth:.0f} MiB", growth <= GROWTH_MIB_MAX),
    ]


def _wait_until_closed(kind: Kind, server: Server, peers: list[socket.socket], until: float) -> int:
    """Waits until the server has closed all peers, or until `until`. Returns the most that were open at once."""
    open_max = _open_peers(server)
    while time.monotonic() < until and _open_peers(server):
        open_max = max(open_max, _open_peers(server))
        for peer in peers:
            with contextlib.suppress(OSError):
                kind.drip(peer)
        time.sleep(DRIP_S)
    return open_max


def _open_peers(server: Server) -> int:
    """The number of open connections, minus one that may belong to a probe."""
    return max(0, int(server.metric("imageclassifier_connections")) - 1)


class Probes:
    """A normal client that repeatedly loads the page and classifies an image, on a new connection each time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.succeeded = self.sent = 0
        self.message = request(images.small())
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ended.wait(PROBE_S):
            client = GrpcClient(self.server.address)
            response = client.classify(self.message, PROBE_TIMEOUT_S)
            client.close()
            self.sent += 1
            if response.code == "OK" and self._page_loads():
                self.succeeded += 1
            elif self.sent - self.succeeded < 4:
                report_progress(
                    f"slow: a probe failed: {response.code} after {response.seconds:.1f} s {response.details!r}"
                )

    def _page_loads(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.server.port}/", timeout=PROBE_TIMEOUT_S) as page:
                return page.status == 200
        except OSError:
            return False
