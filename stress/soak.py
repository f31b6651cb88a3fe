"""Good and bad calls for an hour: the server keeps no memory, no descriptor and no thread of them."""

import itertools
import random
import socket
import threading
import time
from collections.abc import Callable

import http2
import malformed
import pictures
from calls import CLIENTS, Native, frame, request
from report import MIB, Figure, counted, say
from server import Server

SETTLED_SHARE = 0.2
"""Of the time, before which memory may still grow: buffers reach their size."""
SAMPLE_S = 2
PAUSES_OF_THE_RUDE = 5
"""Of the others, between two of what a rude caller does."""
SLOPE_MIB_MAX = 1.0
WINDOW_S = 600
SEED = 5


def figures(minutes: float, pause_s: float) -> list[Figure]:
    ended = threading.Event()
    with Server("soak") as server:
        codes: list[str] = []
        workers = [
            threading.Thread(target=work, args=(server, ended, codes, pause_s))
            for work in (_good, _good, _damaged, _rude)
        ]
        for worker in workers:
            worker.start()
        samples = _samples(server, minutes * 60)
        ended.set()
        for worker in workers:
            worker.join()
        time.sleep(1)
        left = server.metric("imageclassifier_calls_in_flight"), server.metric("imageclassifier_upload_in_flight_bytes")
        panics = server.panics()
        share = server.cpu_s() / (minutes * 60)
    say(f"soak: {len(codes) / minutes / 60:.1f} answers/s, the server took {share:.1%} of a core")
    return _judged(samples, codes, left, panics, minutes)


def _samples(server: Server, seconds: float) -> list[tuple[float, float, int, int]]:
    """Time in seconds, resident MiB, descriptors and threads, again and again."""
    begun_at = time.monotonic()
    samples = []
    while (passed := time.monotonic() - begun_at) < seconds:
        samples.append((passed, server.resident_bytes() / MIB, server.descriptors(), server.threads()))
        if len(samples) % 30 == 0:
            say("soak: {:.0f} s, {:.1f} MiB, {} descriptors, {} threads".format(*samples[-1]))
        time.sleep(SAMPLE_S)
    return samples


def _judged(
    samples: list[tuple[float, float, int, int]],
    codes: list[str],
    left: tuple[float, float],
    panics: float,
    minutes: float,
) -> list[Figure]:
    settled = samples[int(len(samples) * SETTLED_SHARE) :]
    slope = _slope([(at, resident) for at, resident, _, _ in settled]) * WINDOW_S
    memory = f"{slope:+.2f} MiB per 10 min ({settled[0][1]:.0f} to {settled[-1][1]:.0f} MiB)"
    descriptors, threads = ([sample[column] for sample in settled] for column in (2, 3))
    half = len(settled) // 2
    drift = _mean(descriptors[half:]) - _mean(descriptors[:half])
    held = f"{left[0]:.0f} calls, {left[1]:.0f} bytes, {panics:.0f} panics"
    what = f"{minutes:g} minutes"
    return [
        Figure("soak", f"{what}: resident memory", "< 1 MiB per 10 min", memory, slope < SLOPE_MIB_MAX),
        Figure("soak", f"{what}: descriptors", "flat", f"{_range(descriptors)}, drift {drift:+.1f}", abs(drift) < 3),
        Figure("soak", f"{what}: threads", "flat", _range(threads), len(set(threads)) == 1),
        Figure(
            "soak", f"{what}: answers", "none INTERNAL or LOST", counted(codes), not {"INTERNAL", "LOST"} & set(codes)
        ),
        Figure("soak", f"{what}: left over", "nothing", held, not any(left) and not panics),
    ]


def _slope(points: list[tuple[float, float]]) -> float:
    """Of the line with the least squares through `points`."""
    middle_x, middle_y = (_mean([point[axis] for point in points]) for axis in (0, 1))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values)


def _range(values: list[int]) -> str:
    return f"{min(values)} to {max(values)}"


def _good(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Photographs of every format and size over both protocols, now and then on a new connection."""
    messages = [request(picture) for picture in [*pictures.of_each_format(), pictures.photograph(), pictures.costly()]]
    for make in itertools.cycle(CLIENTS.values()):
        client = make(server.address)
        for message in messages * 5:
            if ended.wait(pause_s):
                return client.close()
            codes.append(client.classify(message).code)
        client.close()


def _damaged(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Mutations and bombs."""
    chance = random.Random(SEED)
    originals = pictures.of_each_format()
    bombs = list(pictures.bombs().values())
    for make in itertools.cycle(CLIENTS.values()):
        client = make(server.address)
        for _ in range(100):
            if ended.wait(pause_s):
                return client.close()
            bomb = chance.random() < 0.2
            picture = chance.choice(bombs) if bomb else malformed.mutated(chance.choice(originals), chance)
            codes.append(client.classify(request(picture)).code)
        client.close()


def _rude(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Peers who leave in the middle, ask for too little time, reset their streams or say nothing."""
    message = request(pictures.small())
    head = http2.head_of_call("localhost")

    def too_little_time() -> None:
        client = Native(server.address)
        codes.append(client.classify(message, 0.002).code)
        client.close()

    def half_a_message() -> None:
        connection = http2.Connection(server.port)
        connection.send(
            http2.frame(http2.HEADERS, http2.END_HEADERS, 1, head) + http2.frame(http2.DATA, 0, 1, frame(message)[:500])
        )
        connection.socket.close()

    def reset() -> None:
        connection = http2.Connection(server.port)
        call = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, head) + http2.frame(http2.DATA, 1, 1, frame(message))
        connection.send(call + http2.frame(http2.RST_STREAM, 0, 1, http2.CANCEL))
        connection.socket.close()

    def garbage() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"\x16\x03\x01\x02\0\x01garbage\r\n\r\n")

    def silence() -> None:
        silent.append(socket.create_connection(("127.0.0.1", server.port)))
        if len(silent) > 20:
            silent.pop(0).close()

    silent: list[socket.socket] = []
    ways: list[Callable[[], None]] = [too_little_time, half_a_message, reset, garbage, silence]
    for way in itertools.cycle(ways):
        if ended.wait(pause_s * PAUSES_OF_THE_RUDE):
            break
        way()
    for connection in silent:
        connection.close()
