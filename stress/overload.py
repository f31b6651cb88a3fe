"""More calls than the server has time for, whether or not it answers: it works at its peak, and refuses the rest.

Load and server share the machine's cores, so the peak is measured with the same generator, and what it takes of the
processor is told. The picture has few bytes and is costly to decode: to send ten times what is answered takes little.
"""

import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pictures
from calls import Native, request
from load import Load, closed_loop, open_loop
from report import Figure, counted, percentile, say
from server import Server

PEAK_SECONDS = 6
PEAK_IN_FLIGHT = 8
OVERLOAD_SECONDS = 10
SETTLED_S = 2
"""Of an overload, before which its queue fills."""
FACTORS = (2, 5, 10)
ROUNDS = 5
"""Of each: the goodput of one overload is known to some 3 %."""
LOOK_S = 0.5
"""Between two looks at the server meanwhile, which take of the processor too."""
GOODPUT_MIN = 0.9
REFUSED_SECONDS_MAX = 0.05
QUEUE_SECONDS_MAX = 1.25
CALLS_MAX = 1024
"""The server's own bound on the number, beside that on the wait."""
RECOVERY_SECONDS_MAX = 2
CALM_FACTOR = 3
"""Recovered: a call takes less than this much of what one takes on an idle server."""


@dataclass(frozen=True)
class Peak:
    """The most calls a second that were answered, and what of one core the generator took."""

    goodput: float
    cpu_share: float


@dataclass(frozen=True)
class Overload:
    """A load of several times the peak, and what was seen of the server meanwhile and afterwards."""

    load: Load
    most: int
    """Calls in flight."""
    healthy: list[bool]
    recovered_s: float

    def goodput(self) -> float:
        """Answers a second, to calls of the time when the queue was full."""
        first = self.load.calls[0].begun_at + SETTLED_S
        answered = [call for call in self.load.calls if call.begun_at >= first and call.code == "OK"]
        return len(answered) / (self.load.ended_at - first)


def figures() -> list[Figure]:
    message = request(pictures.costly())
    context = multiprocessing.get_context("spawn")
    with Server("overload") as server, ProcessPoolExecutor(1, context) as pool:
        idle_s = _idle_seconds(server, message)
        peaks = [_peak(server, message, pool)]
        overloads: dict[int, list[Overload]] = {factor: [] for factor in FACTORS}
        # A machine is not as fast at all times: each overload is held against the peaks around it.
        around: dict[int, list[Peak]] = {factor: [] for factor in FACTORS}
        for factor in FACTORS * ROUNDS:
            overload = _overload(server, message, pool, peaks[-1].goodput * factor, idle_s)
            peaks.append(_peak(server, message, pool))
            peak = _between(*peaks[-2:])
            say(f"overload: {factor}x: {overload.goodput():.1f} of {peak.goodput:.1f} calls/s")
            overloads[factor].append(overload)
            around[factor].append(peak)
    say(f"overload: a call on the idle server {idle_s * 1000:.0f} ms")
    return [figure for factor in FACTORS for figure in _judged(factor, overloads[factor], around[factor])]


def _overload(server: Server, message: bytes, pool: ProcessPoolExecutor, rate: float, idle_s: float) -> Overload:
    loading = pool.submit(open_loop, server.port, message, rate, OVERLOAD_SECONDS)
    most, healthy = 0, []
    begun_at = time.monotonic()
    while time.monotonic() < begun_at + OVERLOAD_SECONDS:
        most = max(most, int(server.metric("imageclassifier_calls_in_flight")))
        healthy.append(server.ready())
        time.sleep(LOOK_S)
    # Not only when the generator has finished, which at the end reads thousands of answers.
    calm_at = _calm_at(server, message, idle_s)
    load = loading.result()
    return Overload(load, most, healthy, max(0, calm_at - load.ended_at))


def _peak(server: Server, message: bytes, pool: ProcessPoolExecutor) -> Peak:
    load = pool.submit(closed_loop, server.port, message, PEAK_IN_FLIGHT, PEAK_SECONDS).result()
    answered = [call for call in load.calls if call.code == "OK"]
    return Peak(len(answered) / PEAK_SECONDS, load.cpu_share)


def _idle_seconds(server: Server, message: bytes) -> float:
    client = Native(server.address)
    return percentile([client.classify(message).seconds for _ in range(10)], 50)


def _between(one: Peak, other: Peak) -> Peak:
    return Peak((one.goodput + other.goodput) / 2, (one.cpu_share + other.cpu_share) / 2)


def _calm_at(server: Server, message: bytes, idle_s: float) -> float:
    """When the first call was sent that was answered as fast as on an idle server."""
    client = Native(server.address)
    until = time.monotonic() + 10 * RECOVERY_SECONDS_MAX
    while time.monotonic() < until:
        answer = client.classify(message)
        if answer.code == "OK" and answer.seconds < CALM_FACTOR * idle_s:
            return answer.begun_at
        time.sleep(0.05)
    return float("inf")


def _judged(factor: int, overloads: list[Overload], peaks: list[Peak]) -> list[Figure]:
    """Goodput in the middle of all rounds, everything else at its worst."""
    name = f"{factor}x"
    calls = [call for overload in overloads for call in overload.load.calls]
    refused_s = [call.seconds for call in calls if call.code == "RESOURCE_EXHAUSTED"]
    codes = [call.code for call in calls]
    say(f"overload: {name}: {counted(codes)}; refusals: median {percentile(refused_s, 50) * 1000:.1f} ms")

    def figure(what: str, target: str, measured: str, ok: bool) -> Figure:
        return Figure("overload", f"{name}: {what}", target, measured, ok)

    cores = len(os.sched_getaffinity(0))
    ratios, of_left = [], []
    for overload, peak in zip(overloads, peaks):
        ratios.append(overload.goodput() / peak.goodput)
        left = (cores - overload.load.cpu_share) / (cores - peak.cpu_share)
        of_left.append(ratios[-1] / left)
    generator = statistics.median(overload.load.cpu_share for overload in overloads)
    share = f"{statistics.median(ratios):.1%} ({min(ratios):.0%} to {max(ratios):.0%})"
    share += f"; {statistics.median(of_left):.1%} of what the generator, {generator:.0%} of a core, leaves"
    refused = percentile(refused_s, 99)
    queued_s = max(call.queue_s for call in calls)
    most = max(overload.most for overload in overloads)
    others = [code for code in codes if code not in ("OK", "RESOURCE_EXHAUSTED")]
    healthy = [ready for overload in overloads for ready in overload.healthy]
    recovered_s = max(overload.recovered_s for overload in overloads)
    return [
        figure("goodput", ">= 90 % of peak", share, statistics.median(ratios) >= GOODPUT_MIN),
        figure("refusal, 99th percentile", "<= 50 ms", f"{refused * 1000:.1f} ms", refused <= REFUSED_SECONDS_MAX),
        figure(
            "longest queue",
            f"{QUEUE_SECONDS_MAX} s (1 s and a call), {CALLS_MAX} calls",
            f"{queued_s:.2f} s, {most} calls in flight",
            queued_s <= QUEUE_SECONDS_MAX and most <= CALLS_MAX,
        ),
        figure("neither answered nor refused", "none", counted(others), not others),
        figure(
            "health asked meanwhile: SERVING", "always", f"{healthy.count(True)} of {len(healthy)}", all(healthy)
        ),
        figure("recovery", "<= 2 s", f"{recovered_s:.2f} s", recovered_s <= RECOVERY_SECONDS_MAX),
    ]
