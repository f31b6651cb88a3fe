"""More calls than the server has time for, whether or not it answers: it works at its peak, and refuses the rest.

Load and server share the machine's cores, so the peak is measured with the same generator, and what it takes of the
processor is told. The picture has few bytes and is costly to decode: to send ten times what is answered takes little.
"""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pictures
from calls import Native, request
from load import Load, closed_loop, open_loop
from report import Figure, busy_s, counted, percentile, say
from server import Server

PEAK_SECONDS = 6
PEAK_IN_FLIGHT = 8
OVERLOAD_SECONDS = 10
SETTLED_S = 2
"""Of an overload, before which its queue fills."""
FACTORS = (2, 5, 10)
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
    """A load of `factor` times the peak, and what was seen of the server meanwhile and afterwards."""

    factor: int
    load: Load
    most: int
    """Calls in flight."""
    healthy: list[bool]
    recovered_s: float


def figures() -> list[Figure]:
    message = request(pictures.costly())
    context = multiprocessing.get_context("spawn")
    with Server("overload") as server, ProcessPoolExecutor(1, context) as pool:
        idle_s = _idle_seconds(server, message)
        peaks = [_peak(server, message, pool)]
        overloads = []
        for factor in FACTORS:
            overloads.append(_overload(server, message, pool, factor, peaks[-1].goodput * factor, idle_s))
            peaks.append(_peak(server, message, pool))
    told = ", ".join(f"{peak.goodput:.1f}" for peak in peaks)
    say(f"overload: peaks {told} calls/s, a call on the idle server {idle_s * 1000:.0f} ms")
    # A machine is not as fast at all times: each overload is held against the peaks around it.
    around = zip(peaks, peaks[1:])
    return [
        figure for overload, peaks in zip(overloads, around) for figure in _judged(overload, _between(*peaks))
    ]


def _overload(
    server: Server, message: bytes, pool: ProcessPoolExecutor, factor: int, rate: float, idle_s: float
) -> Overload:
    loading = pool.submit(open_loop, server.port, message, rate, OVERLOAD_SECONDS)
    most, healthy = 0, []
    begun_at, others_s = time.monotonic(), busy_s() - server.cpu_s()
    while (passed := time.monotonic() - begun_at) < OVERLOAD_SECONDS:
        most = max(most, int(server.metric("imageclassifier_calls_in_flight")))
        healthy.append(server.ready())
        time.sleep(LOOK_S)
    others = (busy_s() - server.cpu_s() - others_s) / passed
    say(f"overload: {factor}x: everything but the server takes {others:.0%} of a core")
    # Not only when the generator has finished, which at the end reads thousands of answers.
    calm_at = _calm_at(server, message, idle_s)
    load = loading.result()
    return Overload(factor, load, most, healthy, max(0, calm_at - load.ended_at))


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


def _judged(overload: Overload, peak: Peak) -> list[Figure]:
    load = overload.load
    first = load.calls[0].begun_at + SETTLED_S
    calls = [call for call in load.calls if call.begun_at >= first]
    answered = [call for call in calls if call.code == "OK"]
    goodput = len(answered) / (load.ended_at - first)
    refused_s = [call.seconds for call in calls if call.code == "RESOURCE_EXHAUSTED"]
    refused = percentile(refused_s, 99)
    queued_s = percentile([call.queue_s for call in answered], 100)
    codes = [call.code for call in load.calls]
    others = [code for code in codes if code not in ("OK", "RESOURCE_EXHAUSTED")]
    name = f"{overload.factor}x"
    say(f"overload: {name}: {counted(codes)}; refusals: median {percentile(refused_s, 50) * 1000:.1f} ms")

    def figure(what: str, target: str, measured: str, ok: bool) -> Figure:
        return Figure("overload", f"{name}: {what}", target, measured, ok)

    cores = len(os.sched_getaffinity(0))
    left = (cores - load.cpu_share) / (cores - peak.cpu_share)
    share = f"{goodput / peak.goodput:.0%}: {goodput:.1f} of {peak.goodput:.1f} calls/s"
    share += f"; {goodput / peak.goodput / left:.0%} of what the generator, {load.cpu_share:.0%} of a core, leaves"
    bound = queued_s <= QUEUE_SECONDS_MAX and overload.most <= CALLS_MAX
    queue = f"{queued_s:.2f} s, {overload.most} calls in flight"
    healthy = f"{overload.healthy.count(True)} of {len(overload.healthy)}"
    recovered = f"{overload.recovered_s:.2f} s"
    return [
        figure("goodput", ">= 90 % of peak", share, goodput >= GOODPUT_MIN * peak.goodput),
        figure("refusal, 99th percentile", "<= 50 ms", f"{refused * 1000:.1f} ms", refused <= REFUSED_SECONDS_MAX),
        figure("longest queue", f"{QUEUE_SECONDS_MAX} s (1 s and a call), {CALLS_MAX} calls", queue, bound),
        figure("neither answered nor refused", "none", counted(others), not others),
        figure("health asked meanwhile: SERVING", "always", healthy, all(overload.healthy)),
        figure("recovery", "<= 2 s", recovered, overload.recovered_s <= RECOVERY_SECONDS_MAX),
    ]
