"""Load through Envoy in processes of its own: raw HTTP/2 at a fixed rate, grpcio and gRPC-Web beside it."""

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from clients import CLIENTS, GrpcClient, GrpcWebClient, Response
from load import Load, Outcome, closed_loop, open_loop

PEAK_SECONDS = 6
PEAK_IN_FLIGHT = 24
"""Eight for each of three servers."""
PAUSE_S = 0.1
"""Between two requests of a client beside the load at a fixed rate."""


@dataclass(frozen=True)
class Answered:
    """The outcome of a request of any client."""

    client: str
    code: str
    started_at: float
    seconds: float


class Traffic:
    """A process for the load at a fixed rate."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    def peak(self, port: int, message: bytes, seconds: float = PEAK_SECONDS, in_flight: int = PEAK_IN_FLIGHT) -> float:
        """Successful requests per second with a fixed number of requests in flight."""
        load = self.pool.submit(closed_loop, port, message, in_flight, seconds).result()
        return [outcome.code for outcome in load.outcomes].count("OK") / seconds

    def start(self, port: int, message: bytes, rate: float, seconds: float) -> "Running":
        """`rate` requests per second of raw HTTP/2, and a grpcio and a gRPC-Web client beside them."""
        return Running(self.pool, port, message, rate, seconds)

    def overload(self, port: int, message: bytes, rate: float, seconds: float) -> Load:
        return self.pool.submit(open_loop, port, message, rate, seconds).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.pool.shutdown()


class Running:
    """Traffic that has begun and ends by itself."""

    def __init__(self, pool: ProcessPoolExecutor, port: int, message: bytes, rate: float, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.answered: list[Answered] = []
        self.load = pool.submit(open_loop, port, message, rate, seconds)
        address = f"127.0.0.1:{port}"
        self.threads = [
            threading.Thread(target=self._call, args=(name, make(address), message)) for name, make in CLIENTS.items()
        ]
        for thread in self.threads:
            thread.start()

    def _call(self, name: str, client: GrpcClient | GrpcWebClient, message: bytes) -> None:
        while time.monotonic() < self.until:
            response: Response = client.classify(message)
            self.answered.append(Answered(name, response.code, response.started_at, response.seconds))
            time.sleep(PAUSE_S)
        client.close()

    def result(self) -> list[Answered]:
        """All outcomes, after the traffic has ended."""
        load = self.load.result()
        for thread in self.threads:
            thread.join()
        return self.answered + [_answered(outcome) for outcome in load.outcomes]


def _answered(outcome: Outcome) -> Answered:
    return Answered("raw HTTP/2", outcome.code, outcome.started_at, outcome.seconds)


def codes(answered: list[Answered]) -> list[str]:
    return [one.code for one in answered]


def lost(answered: list[Answered]) -> int:
    """Requests without an answer of a server. A rejection with a hint when to retry is an answer."""
    return sum(one.code not in ("OK", "RESOURCE_EXHAUSTED") for one in answered)
