"""One, two and three servers with simulated work: throughput grows with their number."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from clients import request
from fleet.envoy import Envoy
from fleet.traffic import Traffic
from report import Figure, report_progress
from server import free_port

WORKERS, WORK_MS = 2, 50
IN_FLIGHT = 16
"""For each server: enough that none is idle although Envoy looks at two of them for each request."""
SECONDS = 8
LINEAR_MIN = 0.95


def figures() -> list[Figure]:
    rates = [_rate(count) for count in (1, 2, 3)]
    shares = [rate / (rates[0] * count) for count, rate in enumerate(rates, 1)]
    measured = ", ".join(f"{rate:.1f}" for rate in rates) + f" requests/s: {shares[1]:.1%}, {shares[2]:.1%}"
    what = f"1, 2 and 3 servers of {WORKERS} workers and {WORK_MS} ms of simulated work"
    return [Figure("fleet linear", what, ">= 95 % of linear", measured, min(shares) >= LINEAR_MIN)]


def _rate(count: int) -> float:
    with _simulated(count) as ports, Envoy("linear", ports) as envoy, Traffic() as traffic:
        rate = traffic.peak(envoy.port, request(b"image"), SECONDS, IN_FLIGHT * count)
        report_progress(f"linear: {count}: {rate:.1f} requests/s")
        return rate


@contextlib.contextmanager
def _simulated(count: int) -> Iterator[list[int]]:
    ports = [free_port() for _ in range(count)]
    program = Path(__file__).parent / "simulated.py"
    commands = [[sys.executable, str(program), str(port), str(WORKERS), str(WORK_MS)] for port in ports]
    processes = [subprocess.Popen(command) for command in commands]
    try:
        yield ports
    finally:
        for process in processes:
            process.kill()
            process.wait()
