"""Told to stop under load, the server announces it, takes calls for a while, finishes them, and exits."""

import contextlib
import random
import threading
import time

import http2
import pictures
from calls import CLIENTS, LOST, REFUSED, Answer, frame, request
from report import Figure, counted, say
from server import Server, limits

ROUNDS = 20
SEED = 17
CLIENTS_OF_EACH = 3
GRACE_S = 1.0
EXIT_SECONDS_MAX = 25
AT_ONCE_SECONDS_MAX = 0.5
NOT_SERVING = frame(b"\x08\x02")


class Watcher:
    """An open Health/Watch, which notes when the server says what."""

    def __init__(self, server: Server) -> None:
        self.not_serving_at = self.goaway_at = self.ended_at = float("inf")
        self.connection = http2.Connection(server.port)
        head = http2.head_of_call("localhost", "/grpc.health.v1.Health/Watch")
        call = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, head)
        self.connection.send(call + http2.frame(http2.DATA, http2.END_STREAM, 1, frame(b"")))
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
    chance = random.Random(SEED)
    rounds = [_round(chance.uniform(0.2, 0.8)) for _ in range(ROUNDS)]
    answers = [answer for answered, _, _, _ in rounds for answer in answered]
    statuses = [status for _, status, _, _ in rounds]
    slowest = max(seconds for _, _, seconds, _ in rounds)
    in_order = sum(ordered for _, _, _, ordered in rounds)
    codes = [answer.code for answer in answers if answer.code != REFUSED]
    exited = statuses.count(0) == ROUNDS and slowest <= EXIT_SECONDS_MAX
    attached = "with an open Watch, a stuck HTTP/2 peer and a silent socket"
    order = "NOT_SERVING, calls taken for the grace, GOAWAY, exit"
    return [
        Figure("drain", f"{ROUNDS} SIGTERMs under load: calls lost", "0", _lost(codes), LOST not in codes),
        Figure(
            "drain",
            f"{attached}: exit",
            "0 within 25 s",
            f"{counted([str(s) for s in statuses])}; {slowest:.1f} s",
            exited,
        ),
        Figure("drain", f"order: {order}", f"{ROUNDS} times", f"{in_order} times", in_order == ROUNDS),
        _second_signal(),
    ]


def _lost(codes: list[str]) -> str:
    return f"{codes.count(LOST)} of {len(codes)} ({counted(codes)})"


def _round(load_s: float) -> tuple[list[Answer], int, float, bool]:
    """One server under load, told to stop: all answers, exit status, seconds to it, and whether all was in order."""
    with Server("drain", *limits(drain_grace=GRACE_S)) as server:
        watcher = Watcher(server)
        stuck = http2.Connection(server.port, http2.setting(http2.INITIAL_WINDOW_SIZE, 0))
        half_a_call = http2.frame(
            http2.HEADERS, http2.END_HEADERS, 1, http2.head_of_call("localhost", "/grpc.health.v1.Health/Check")
        )
        stuck.send(half_a_call)
        silent = http2.socket.create_connection(("127.0.0.1", server.port))
        answers: list[Answer] = []
        message = request(pictures.small())
        callers = [
            threading.Thread(target=_call_until_refused, args=(make(server.address), message, answers))
            for make in CLIENTS.values()
            for _ in range(CLIENTS_OF_EACH)
        ]
        for caller in callers:
            caller.start()
        time.sleep(load_s)
        told_at = time.monotonic()
        server.terminate()
        with contextlib.suppress(Exception):
            server.process.wait(EXIT_SECONDS_MAX + 10)
        seconds = time.monotonic() - told_at
        server.stop()
        for thread in [*callers, watcher.thread]:
            thread.join()
        stuck.socket.close()
        silent.close()
    taken = [a for a in answers if a.code == "OK" and watcher.not_serving_at < a.begun_at < watcher.goaway_at]
    announced = told_at <= watcher.not_serving_at < told_at + GRACE_S / 2
    ordered = announced and bool(taken) and told_at + GRACE_S * 0.9 <= watcher.goaway_at < told_at + seconds
    for answer in answers:
        if answer.code == LOST:
            say(f"drain: lost, begun {answer.begun_at - told_at:.3f} s after the signal: {answer.details!r}")
    return answers, server.process.returncode, seconds, ordered


def _call_until_refused(client: object, message: bytes, answers: list[Answer]) -> None:
    while True:
        answer = client.classify(message)
        answers.append(answer)
        if answer.code in (REFUSED, LOST, "UNAVAILABLE"):
            client.close()
            return


def _second_signal() -> Figure:
    """While a call that has not been sent whole holds up the stop."""
    with Server("drain") as server:
        half = http2.Connection(server.port)
        half.send(http2.frame(http2.HEADERS, http2.END_HEADERS, 1, http2.head_of_call("localhost")))
        time.sleep(0.2)
        server.terminate()
        time.sleep(1.5)
        still_there = server.alive()
        told_at = time.monotonic()
        server.terminate()
        server.process.wait()
        seconds = time.monotonic() - told_at
    measured = f"exit {server.process.returncode} after {seconds * 1000:.0f} ms"
    return Figure("drain", "a second signal", "ends at once", measured, still_there and seconds <= AT_ONCE_SECONDS_MAX)
