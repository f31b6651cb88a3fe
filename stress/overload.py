"""An open-loop load of several times the server's capacity: the server keeps its peak goodput and rejects the rest.

The load generator shares the machine's cores with the server. It therefore also measures the peak, and the table shows its
share of the CPU. The image is small but costly to decode, so sending ten times the capacity takes little CPU time.
"""

import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import images
from clients import GrpcClient, request
from load import Load, closed_loop, open_loop
from report import Figure, counted, percentile, report_progress
from server import Server

PEAK_SECONDS = 6
PEAK_IN_FLIGHT = 8
OVERLOAD_SECONDS = 10
SETTLE_S = 2
"""The start of an overload, while the queue fills. It does not count."""
FACTORS = (2, 5, 10)
ROUNDS = 5
"""Rounds per factor: the goodput of one overload varies by about 3 %."""
PROBE_S = 0.5
"""Interval between two probes of the server, which use CPU time too."""
GOODPUT_MIN = 0.9
REJECTION_SECONDS_MAX = 0.05
QUEUE_SECONDS_MAX = 1.25
REQUESTS_MAX = 1024
"""The server's limit on concurrent requests, in addition to the limit on the wait."""
RECOVERY_SECONDS_MAX = 2
RECOVERED_FACTOR = 3
"""The server has recovered when a request takes less than this multiple of its time on an idle server."""


@dataclass(frozen=True)
class Peak:
    """The highest number of successful requests per second, and the generator's share of one core."""

    goodput: float
    cpu_share: float


@dataclass(frozen=True)
class Overload:
    """A load of several times the peak, and the state of the server during and after it."""

    load: Load
    in_flight_max: int
    healthy: list[bool]
    recovery_s: float

    def goodput(self) -> float:
        """Successful requests per second, of those that started after `SETTLE_S`."""
        first = self.load.outcomes[0].started_at + SETTLE_S
        succeeded = [one for one in self.load.outcomes if one.started_at >= first and one.code == "OK"]
        return len(succeeded) / (self.load.ended_at - first)


def figures() -> list[Figure]:
    message = request(images.costly())
    context = multiprocessing.get_context("spawn")
    with Server("overload") as server, ProcessPoolExecutor(1, context) as pool:
        idle_s = _idle_seconds(server, message)
        peaks = [_peak(server, message, pool)]
        overloads: dict[int, list[Overload]] = {factor: [] for factor in FACTORS}
        # The machine's speed varies, so each overload is compared with the peaks before and after it.
        around: dict[int, list[Peak]] = {factor: [] for factor in FACTORS}
        for factor in FACTORS * ROUNDS:
            overload = _overload(server, message, pool, peaks[-1].goodput * factor, idle_s)
            peaks.append(_peak(server, message, pool))
            peak = _mean(*peaks[-2:])
            report_progress(f"overload: {factor}x: {overload.goodput():.1f} of {peak.goodput:.1f} requests/s")
            overloads[factor].append(overload)
            around[factor].append(peak)
    report_progress(f"overload: a request on the idle server takes {idle_s * 1000:.0f} ms")
    return [figure for factor in FACTORS for figure in _evaluate(factor, overloads[factor], around[factor])]


def _overload(server: Server, message: bytes, pool: ProcessPoolExecutor, rate: float, idle_s: float) -> Overload:
    loading = pool.submit(open_loop, server.port, message, rate, OVERLOAD_SECONDS)
    in_flight_max, healthy = 0, []
    started_at = time.monotonic()
    while time.monotonic() < started_at + OVERLOAD_SECONDS:
        in_flight_max = max(in_flight_max, int(server.metric("imageclassifier_calls_in_flight")))
        healthy.append(server.ready())
        time.sleep(PROBE_S)
    # Does not wait for the generator, which decodes thousands of responses at the end.
    recovered_at = _recovered_at(server, message, idle_s)
    load = loading.result()
    return Overload(load, in_flight_max, healthy, max(0, recovered_at - load.ended_at))


def _peak(server: Server, message: bytes, pool: ProcessPoolExecutor) -> Peak:
    load = pool.submit(closed_loop, server.port, message, PEAK_IN_FLIGHT, PEAK_SECONDS).result()
    succeeded = [outcome for outcome in load.outcomes if outcome.code == "OK"]
    return Peak(len(succeeded) / PEAK_SECONDS, load.cpu_share)


def _idle_seconds(server: Server, message: bytes) -> float:
    client = GrpcClient(server.address)
    return percentile([client.classify(message).seconds for _ in range(10)], 50)


def _mean(one: Peak, other: Peak) -> Peak:
    return Peak((one.goodput + other.goodput) / 2, (one.cpu_share + other.cpu_share) / 2)


def _recovered_at(server: Server, message: bytes, idle_s: float) -> float:
    """Start of the first request that is nearly as fast as on an idle server."""
    client = GrpcClient(server.address)
    until = time.monotonic() + 10 * RECOVERY_SECONDS_MAX
    while time.monotonic() < until:
        response = client.classify(message)
        if response.code == "OK" and response.seconds < RECOVERED_FACTOR * idle_s:
            return response.started_at
        time.sleep(0.05)
    return float("inf")


def _evaluate(factor: int, overloads: list[Overload], peaks: list[Peak]) -> list[Figure]:
    """The median of the rounds for goodput, the worst round for everything else."""
    name = f"{factor}x"
    outcomes = [outcome for overload in overloads for outcome in overload.load.outcomes]
    rejections_s = [outcome.seconds for outcome in outcomes if outcome.code == "RESOURCE_EXHAUSTED"]
    codes = [outcome.code for outcome in outcomes]
    report_progress(
        f"overload: {name}: {counted(codes)}; rejections: median {percentile(rejections_s, 50) * 1000:.1f} ms"
    )

    def figure(what: str, target: str, measured: str, ok: bool) -> Figure:
        return Figure("overload", f"{name}: {what}", target, measured, ok)

    cores = len(os.sched_getaffinity(0))
    ratios, ratios_of_free_cpu = [], []
    for overload, peak in zip(overloads, peaks):
        ratios.append(overload.goodput() / peak.goodput)
        free_cpu = (cores - overload.load.cpu_share) / (cores - peak.cpu_share)
        ratios_of_free_cpu.append(ratios[-1] / free_cpu)
    generator = statistics.median(overload.load.cpu_share for overload in overloads)
    share = f"{statistics.median(ratios):.1%} ({min(ratios):.0%} to {max(ratios):.0%})"
    corrected = statistics.median(ratios_of_free_cpu)
    share += f"; {corrected:.1%} corrected for the generator's CPU time, {generator:.0%} of a core"
    rejection_s = percentile(rejections_s, 99)
    queue_s = max(outcome.queue_s for outcome in outcomes)
    in_flight_max = max(overload.in_flight_max for overload in overloads)
    others = [code for code in codes if code not in ("OK", "RESOURCE_EXHAUSTED")]
    healthy = [ready for overload in overloads for ready in overload.healthy]
    recovery_s = max(overload.recovery_s for overload in overloads)
    fast = rejection_s <= REJECTION_SECONDS_MAX
    return [
        figure("goodput", ">= 90 % of peak", share, statistics.median(ratios) >= GOODPUT_MIN),
        figure("rejection, 99th percentile", "<= 50 ms", f"{rejection_s * 1000:.1f} ms", fast),
        figure(
            "longest queue",
            f"{QUEUE_SECONDS_MAX} s (1 s and one request), {REQUESTS_MAX} requests",
            f"{queue_s:.2f} s, {in_flight_max} requests in flight",
            queue_s <= QUEUE_SECONDS_MAX and in_flight_max <= REQUESTS_MAX,
        ),
        figure("neither successful nor rejected", "none", counted(others), not others),
        figure("health checks: SERVING", "always", f"{healthy.count(True)} of {len(healthy)}", all(healthy)),
        figure("recovery", "<= 2 s", f"{recovery_s:.2f} s", recovery_s <= RECOVERY_SECONDS_MAX),
    ]
