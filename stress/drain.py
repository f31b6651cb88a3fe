"""On SIGTERM under load, the server reports NOT_SERVING, accepts requests for the grace period, finishes them, and exits."""

import contextlib
import random
import threading
import time

import http2
import images
from clients import CLIENTS, LOST, REFUSED, Response, grpc_frame, request
from report import Figure, counted, report_progress
from server import Server, duration_options

ROUNDS = 20
SEED = 17
CLIENTS_PER_PROTOCOL = 3
GRACE_S = 1.0
EXIT_SECONDS_MAX = 25
SECOND_SIGNAL_SECONDS_MAX = 0.5
NOT_SERVING = grpc_frame(b"\x08\x02")


class Watcher:
    """An open Health/Watch. Records when the server reports NOT_SERVING, sends GOAWAY and closes the connection."""

    def __init__(self, server: Server) -> None:
        self.not_serving_at = self.goaway_at = self.ended_at = float("inf")
        self.connection = http2.Connection(server.port)
        headers = http2.request_headers("localhost", "/grpc.health.v1.Health/Watch")
        request_frame = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, headers)
        self.connection.send(request_frame + http2.frame(http2.DATA, http2.END_STREAM, 1, grpc_frame(b"")))
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            for kind, _, _, payload in self.connection.frames():
                if kind == http2.DATA and payload == NOT_SERVING:
                    self.not_serving_at = min(self.not_serving_at, time.monotonic())
                if kind == http2.GOAWAY:
                    self.goaway_at = min(self.goaway_at, time.monotonic())
        self.ended_at = time.monotonic()


def figures() -> list[Figure]:
    rng = random.Random(SEED)
    rounds = [_round(rng.uniform(0.2, 0.8)) for _ in range(ROUNDS)]
    responses = [response for of_round, _, _, _ in rounds for response in of_round]
    statuses = [status for _, status, _, _ in rounds]
    slowest = max(seconds for _, _, seconds, _ in rounds)
    in_order = sum(ordered for _, _, _, ordered in rounds)
    codes = [response.code for response in responses if response.code != REFUSED]
    exited = statuses.count(0) == ROUNDS and slowest <= EXIT_SECONDS_MAX
    peers = "with an open Watch, a stuck HTTP/2 peer and a silent socket"
    order = "NOT_SERVING, requests accepted for the grace period, GOAWAY, exit"
    return [
        Figure("drain", f"{ROUNDS} SIGTERMs under load: requests lost", "0", _lost(codes), LOST not in codes),
        Figure(
            "drain",
            f"{peers}: exit",
            "0 within 25 s",
            f"{counted([str(s) for s in statuses])}; {slowest:.1f} s",
            exited,
        ),
        Figure("drain", f"order: {order}", f"{ROUNDS} times", f"{in_order} times", in_order == ROUNDS),
        _second_signal(),
    ]


def _lost(codes: list[str]) -> str:
    return f"{codes.count(LOST)} of {len(codes)} ({counted(codes)})"


def _round(load_s: float) -> tuple[list[Response], int, float, bool]:
    """Stops one server under load. Returns all responses, the exit status, the seconds until the exit, and whether the server
    did all steps in order."""
    with Server("drain", *duration_options(drain_grace=GRACE_S)) as server:
        watcher = Watcher(server)
        stuck = http2.Connection(server.port, http2.setting(http2.INITIAL_WINDOW_SIZE, 0))
        incomplete_request = http2.frame(
            http2.HEADERS, http2.END_HEADERS, 1, http2.request_headers("localhost", "/grpc.health.v1.Health/Check")
        )
        stuck.send(incomplete_request)
        silent = http2.socket.create_connection(("127.0.0.1", server.port))
        responses: list[Response] = []
        message = request(images.small())
        clients = [
            threading.Thread(target=_classify_until_refused, args=(make(server.address), message, responses))
            for make in CLIENTS.values()
            for _ in range(CLIENTS_PER_PROTOCOL)
        ]
        for client in clients:
            client.start()
        time.sleep(load_s)
        signalled_at = time.monotonic()
        server.terminate()
        with contextlib.suppress(Exception):
            server.process.wait(EXIT_SECONDS_MAX + 10)
        seconds = time.monotonic() - signalled_at
        server.stop()
        for thread in [*clients, watcher.thread]:
            thread.join()
        stuck.socket.close()
        silent.close()
    grace_period = (watcher.not_serving_at, watcher.goaway_at)
    accepted = [r for r in responses if r.code == "OK" and grace_period[0] < r.started_at < grace_period[1]]
    announced = signalled_at <= watcher.not_serving_at < signalled_at + GRACE_S / 2
    goaway_in_time = signalled_at + GRACE_S * 0.9 <= watcher.goaway_at < signalled_at + seconds
    ordered = announced and bool(accepted) and goaway_in_time
    for response in responses:
        if response.code == LOST:
            after_s = response.started_at - signalled_at
            report_progress(
                f"drain: lost a request that started {after_s:.3f} s after the signal: {response.details!r}"
            )
    return responses, server.process.returncode, seconds, ordered


def _classify_until_refused(client: object, message: bytes, responses: list[Response]) -> None:
    while True:
        response = client.classify(message)
        responses.append(response)
        if response.code in (REFUSED, LOST, "UNAVAILABLE"):
            client.close()
            return


def _second_signal() -> Figure:
    """A second SIGTERM while an incomplete request delays the shutdown."""
    with Server("drain") as server:
        incomplete = http2.Connection(server.port)
        incomplete.send(http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.request_headers("localhost")))
        time.sleep(0.2)
        server.terminate()
        time.sleep(1.5)
        was_alive = server.alive()
        signalled_at = time.monotonic()
        server.terminate()
        server.process.wait()
        seconds = time.monotonic() - signalled_at
    measured = f"exit {server.process.returncode} after {seconds * 1000:.0f} ms"
    ok = was_alive and seconds <= SECOND_SIGNAL_SECONDS_MAX
    return Figure("drain", "a second signal", "exits at once", measured, ok)
