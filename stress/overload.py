"""More calls than the server has time for, whether or not it answers: it works at its peak, and refuses the rest.

Load and server share the machine's cores, so the peak is measured with the same generator, and what it takes of the
processor is told. The picture has few bytes and is costly to decode: to send ten times what is answered takes little.
"""

import asyncio
import multiprocessing
import resource
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc.aio

import pictures
from calls import METHOD, Native, messages, request
from report import Figure, counted, percentile, say
from server import Server

PEAK_SECONDS = 6
PEAK_IN_FLIGHT = 8
OVERLOAD_SECONDS = 10
SETTLED_S = 2
"""Of an overload, before which its queue fills."""
FACTORS = (2, 5, 10)
CHANNELS = 4
GOODPUT_MIN = 0.9
REFUSED_SECONDS_MAX = 0.05
QUEUE_SECONDS_MAX = 1.25
CALLS_MAX = 1024
"""The server's own bound on the number, beside that on the wait."""
RECOVERY_SECONDS_MAX = 2
CALM_FACTOR = 3
"""Recovered: a call takes less than this much of what one takes on an idle server."""


@dataclass(frozen=True)
class Load:
    """What became of the calls of one load: code, when begun, seconds, seconds in the server's queue of each."""

    calls: list[tuple[str, float, float, float]]
    cpu_share: float
    """Of one core, taken by the generator."""
    ended_at: float


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
            loading = pool.submit(open_loop, server.address, message, peaks[0] * factor)
            most, healthy = 0, []
            while not loading.done():
                most = max(most, int(server.metric("imageclassifier_calls_in_flight")))
                healthy.append(server.ready())
                time.sleep(0.1)
            load = loading.result()
            recovered_s = _recovery_seconds(server, message, idle_s, load.ended_at)
            overloads.append(Overload(factor, load, most, healthy, recovered_s))
        # Other work on the machine may have been in the way of the first.
        peaks.append(_peak(server, message, pool))
    say(f"overload: peaks {peaks[0]:.1f} and {peaks[1]:.1f} calls/s, a call on the idle server {idle_s * 1000:.0f} ms")
    return [figure for overload in overloads for figure in _judged(overload, max(peaks))]


def _peak(server: Server, message: bytes, pool: ProcessPoolExecutor) -> float:
    load = pool.submit(closed_loop, server.address, message).result()
    return [code for code, *_ in load.calls].count("OK") / PEAK_SECONDS


def _idle_seconds(server: Server, message: bytes) -> float:
    client = Native(server.address)
    return percentile([client.classify(message).seconds for _ in range(10)], 50)


def _recovery_seconds(server: Server, message: bytes, idle_s: float, ended_at: float) -> float:
    """From the last call sent until one is answered as fast as on an idle server."""
    client = Native(server.address)
    while time.monotonic() < ended_at + 10 * RECOVERY_SECONDS_MAX:
        answer = client.classify(message)
        if answer.code == "OK" and answer.seconds < CALM_FACTOR * idle_s:
            return max(0, answer.begun_at - ended_at)
        time.sleep(0.05)
    return float("inf")


def _judged(overload: Overload, peak: float) -> list[Figure]:
    load = overload.load
    first = load.calls[0][1] + SETTLED_S
    calls = [call for call in load.calls if call[1] >= first]
    answered = [call for call in calls if call[0] == "OK"]
    goodput = len(answered) / (load.ended_at - first)
    refused_s = [seconds for code, _, seconds, _ in calls if code == "RESOURCE_EXHAUSTED"]
    refused = percentile(refused_s, 99)
    queued_s = percentile([queue_s for *_, queue_s in answered], 100)
    codes = [code for code, *_ in load.calls]
    others = [code for code in codes if code not in ("OK", "RESOURCE_EXHAUSTED")]
    name = f"{overload.factor}x"
    say(f"overload: {name}: {counted(codes)}; refusals: median {percentile(refused_s, 50) * 1000:.1f} ms")

    def figure(what: str, target: str, measured: str, ok: bool) -> Figure:
        return Figure("overload", f"{name}: {what}", target, measured, ok)

    share = f"{goodput / peak:.0%}: {goodput:.1f} of {peak:.1f} calls/s, generator {load.cpu_share:.0%} of a core"
    bound = queued_s <= QUEUE_SECONDS_MAX and overload.most <= CALLS_MAX
    queue = f"{queued_s:.2f} s, {overload.most} calls in flight"
    healthy = f"{overload.healthy.count(True)} of {len(overload.healthy)}"
    recovered = f"{overload.recovered_s:.2f} s"
    return [
        figure("goodput", ">= 90 % of peak", share, goodput >= GOODPUT_MIN * peak),
        figure("refusal, 99th percentile", "<= 50 ms", f"{refused * 1000:.1f} ms", refused <= REFUSED_SECONDS_MAX),
        figure("longest queue", f"{QUEUE_SECONDS_MAX} s (1 s and a call), {CALLS_MAX} calls", queue, bound),
        figure("neither answered nor refused", "none", counted(others), not others),
        figure("health asked meanwhile: SERVING", "always", healthy, all(overload.healthy)),
        figure("recovery", "<= 2 s", recovered, overload.recovered_s <= RECOVERY_SECONDS_MAX),
    ]


def closed_loop(address: str, message: bytes) -> Load:
    """As many calls in flight as keep every core busy, and no more."""

    async def load(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        until = time.monotonic() + PEAK_SECONDS

        async def caller() -> None:
            while time.monotonic() < until:
                await call()

        await asyncio.gather(*(caller() for _ in range(PEAK_IN_FLIGHT)))

    return asyncio.run(_generated(address, message, load))


def open_loop(address: str, message: bytes, rate: float) -> Load:
    """`rate` calls a second, whatever becomes of them."""

    async def load(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        begun_at = time.monotonic()
        running = set()
        for number in range(int(rate * OVERLOAD_SECONDS)):
            await asyncio.sleep(begun_at + number / rate - time.monotonic())
            task = asyncio.create_task(call())
            running.add(task)
            task.add_done_callback(running.discard)
        ended.append(time.monotonic())
        await asyncio.gather(*running)

    ended: list[float] = []
    found = asyncio.run(_generated(address, message, load))
    return Load(found.calls, found.cpu_share, ended[0])


async def _generated(address: str, message: bytes, load: Callable[..., Coroutine[Any, Any, None]]) -> Load:
    calls: list[tuple[str, float, float, float]] = []
    response = messages().ClassifyImageResponse
    channels = [grpc.aio.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(CHANNELS)]
    methods = [channel.unary_unary(METHOD) for channel in channels]

    async def call() -> None:
        begun_at = time.monotonic()
        queue_s = 0.0
        try:
            answer = await methods[len(calls) % CHANNELS](message, timeout=10)
            code, queue_s = "OK", response.FromString(answer).timings.queue_ms / 1000
        except grpc.aio.AioRpcError as error:
            code = error.code().name
        calls.append((code, begun_at, time.monotonic() - begun_at, queue_s))

    for method in methods:
        await method(message, timeout=10)
    begun_at, cpu_s = time.monotonic(), _cpu_s()
    await load(call)
    ended_at = time.monotonic()
    share = (_cpu_s() - cpu_s) / (ended_at - begun_at)
    for channel in channels:
        await channel.close()
    return Load(sorted(calls, key=lambda call: call[1]), share, ended_at)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
