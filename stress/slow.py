"""A thousand slow peers of each kind are closed on their deadlines, and nobody else notices.

All deadlines but the first are shortened by options of the server, so that this takes minutes; the same code enforces
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
import pictures
from calls import METHOD, WEB_HEADERS, Native, frame, request
from report import MIB, Figure, say
from server import Server, limits

PEERS = 1000
FIRST_S, UPLOAD_S, WRITE_S, IDLE_S = 10, 8, 8, 5
"""The first is the default: it has to be longer than it takes to connect all peers."""
SLACK_S = 2
DRIP_S = 0.5
PROBE_S = 0.2
PROBE_TIMEOUT_S = 5
GROWTH_MIB_MAX = 256
GET_MODEL = "/imageclassifier.ImageClassifier/GetModel"
PIPELINED = 40
"""Each is answered with 20 kB of labels: more than the buffers of a connection take."""


@dataclass(frozen=True)
class Kind:
    """What peers of a kind do: `begin` on a new connection, then `drip` again and again; closed after `seconds`."""

    name: str
    seconds: float
    begin: Callable[[int], socket.socket]
    drip: Callable[[socket.socket], object] = lambda peer: None


def figures() -> list[Figure]:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found = []
    for kind in KINDS:
        with Server("slow", *OPTIONS) as server:
            found += _measured(kind, server)
    return found


OPTIONS = limits(first_request_timeout=FIRST_S, upload_timeout=UPLOAD_S, write_timeout=WRITE_S, idle_timeout=IDLE_S)


def sends(first: bytes, then: bytes = b"", receive_bytes: int = 0) -> dict[str, Callable]:
    """Peers that send `first`, then `then` again and again."""

    def begin(port: int) -> socket.socket:
        peer = socket.socket()
        if receive_bytes:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        peer.connect(("127.0.0.1", port))
        peer.sendall(first)
        return peer

    return {"begin": begin, "drip": lambda peer: then and peer.send(then)}


def no_window() -> dict[str, Callable]:
    """HTTP/2 peers that ask, answer pings, and never let the server send the answer."""

    def begin(port: int) -> socket.socket:
        connection = http2.Connection(port, http2.setting(http2.INITIAL_WINDOW_SIZE, 0))
        call = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.head_of_call("localhost", GET_MODEL))
        connection.send(call + http2.frame(http2.DATA, http2.END_STREAM, 1, frame(b"")))
        connection.socket.setblocking(False)
        return connection.socket

    def answer_pings(peer: socket.socket) -> None:
        received = peer.recv(65536)
        at = received.find(b"\0\0\x08\x06\0")
        if at >= 0:
            peer.send(http2.frame(http2.PING, http2.ACK, payload=received[at + 9 : at + 17]))

    return {"begin": begin, "drip": answer_pings}


def _http1(method: str, length: int) -> bytes:
    head = {"host": "localhost", "content-length": str(length), **WEB_HEADERS}
    return "\r\n".join(
        [f"POST {method} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    ).encode()


def _kinds() -> list[Kind]:
    begun = http2.PREFACE + http2.frame(http2.SETTINGS)
    head = http2.head_of_call("localhost")
    half_head = begun + http2.frame(http2.HEADERS, 0, 1, head[:20])
    body = begun + http2.frame(http2.HEADERS, http2.END_HEADERS, 1, head) + http2.frame(http2.DATA, 0, 1, b"\0\0\1\0\0")
    asked = (_http1(GET_MODEL, 5) + frame(b"")) * PIPELINED
    get_model = http2.head_of_call("localhost", GET_MODEL)
    calls = b"".join(
        http2.frame(http2.HEADERS, http2.END_HEADERS, stream, get_model)
        + http2.frame(http2.DATA, http2.END_STREAM, stream, frame(b""))
        for stream in range(1, 2 * PIPELINED, 2)
    )
    return [
        Kind("no bytes", FIRST_S, **sends(b"")),
        Kind("partial preface", FIRST_S, **sends(http2.PREFACE[:10])),
        Kind("partial header, HTTP/1.1", FIRST_S, **sends(b"POST / HTTP/1.1\r\nhost: localhost\r\nx: ", b"a")),
        Kind("partial header, HTTP/2", FIRST_S, **sends(half_head)),
        Kind("slow body, HTTP/1.1", UPLOAD_S + IDLE_S, **sends(_http1(METHOD, 1000) + b"\0\0\0\3\xe3", b"a")),
        Kind("slow body, HTTP/2", UPLOAD_S + IDLE_S, **sends(body, http2.frame(http2.DATA, 0, 1, b"a"))),
        Kind("slow read, HTTP/1.1", WRITE_S + IDLE_S, **sends(asked, receive_bytes=4096)),
        Kind("slow read, HTTP/2", WRITE_S + IDLE_S, **sends(begun + calls, receive_bytes=4096)),
        Kind("closed window, HTTP/2", WRITE_S + IDLE_S, **no_window()),
    ]


KINDS = _kinds()


def _measured(kind: Kind, server: Server) -> list[Figure]:
    server.forget_peak()
    before = server.resident_bytes()
    begun_at = time.monotonic()
    with Probes(server) as probes:
        peers = [kind.begin(server.port) for _ in range(PEERS)]
        opened_s = time.monotonic() - begun_at
        allowed_s = kind.seconds + opened_s + SLACK_S
        most = _watched(kind, server, peers, begun_at + allowed_s + SLACK_S)
        closed_s = time.monotonic() - begun_at
        left = _connected(server)
    grown = (server.peak_bytes() - before) / MIB
    for peer in peers:
        peer.close()
    say(f"slow: {kind.name}: at most {most} at once, connected within {opened_s:.1f} s, {left} left, {closed_s:.1f} s")
    who = f"{PEERS} x {kind.name}"
    closed = f"{left} still open after {closed_s:.1f} s" if left else f"{closed_s:.1f} s"
    target = f"<= {kind.seconds} s, + {opened_s + SLACK_S:.1f} s to connect and to look"
    probed = f"{probes.succeeded} of {probes.asked}"
    return [
        Figure("slow", f"{who}: closed", target, closed, not left and closed_s <= allowed_s),
        Figure("slow", f"{who}: probes", "100 %", probed, probes.succeeded == probes.asked > 0),
        Figure("slow", f"{who}: memory", "+ <= 256 MiB", f"+ {grown:.0f} MiB", grown <= GROWTH_MIB_MAX),
    ]


def _watched(kind: Kind, server: Server, peers: list[socket.socket], until: float) -> int:
    """Until the server has closed them all, or it is too late; how many were open at most."""
    most = _connected(server)
    while time.monotonic() < until and _connected(server):
        most = max(most, _connected(server))
        for peer in peers:
            with contextlib.suppress(OSError):
                kind.drip(peer)
        time.sleep(DRIP_S)
    return most


def _connected(server: Server) -> int:
    """Peers: at most one probe is connected beside them."""
    return max(0, int(server.metric("imageclassifier_connections")) - 1)


class Probes:
    """Somebody who loads the page and classifies a picture again and again, on a new connection each time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.succeeded = self.asked = 0
        self.message = request(pictures.small())
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _ask(self) -> None:
        while not self.ended.wait(PROBE_S):
            client = Native(self.server.address)
            answer = client.classify(self.message, PROBE_TIMEOUT_S)
            client.close()
            self.asked += 1
            if answer.code == "OK" and self._page():
                self.succeeded += 1
            elif self.asked - self.succeeded < 4:
                say(f"slow: a probe failed: {answer.code} after {answer.seconds:.1f} s {answer.details!r}")

    def _page(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.server.port}/", timeout=PROBE_TIMEOUT_S) as page:
                return page.status == 200
        except OSError:
            return False
