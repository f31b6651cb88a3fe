"""Valid and invalid requests for an hour: the server leaks no memory, descriptors or threads."""

import itertools
import random
import socket
import threading
import time
from collections.abc import Callable

import http2
import images
import malformed
from clients import CLIENTS, GrpcClient, grpc_frame, request
from report import MIB, Figure, counted, report_progress
from server import Server

WARM_UP_SHARE = 0.2
"""The first part of the soak does not count, because buffers still grow to their final size."""
SAMPLE_S = 2
ABUSE_PAUSE_FACTOR = 5
"""The abusive client pauses for this multiple of the other clients' pause."""
SLOPE_MIB_MAX = 1.0
WINDOW_S = 600
SEED = 5


def figures(minutes: float, pause_s: float) -> list[Figure]:
    ended = threading.Event()
    with Server("soak") as server:
        codes: list[str] = []
        workers = [
            threading.Thread(target=work, args=(server, ended, codes, pause_s))
            for work in (_send_valid, _send_valid, _send_corrupt, _abuse)
        ]
        for worker in workers:
            worker.start()
        samples = _samples(server, minutes * 60)
        ended.set()
        for worker in workers:
            worker.join()
        time.sleep(1)
        left_over = (
            server.metric("imageclassifier_calls_in_flight"),
            server.metric("imageclassifier_upload_in_flight_bytes"),
        )
        panics = server.panics()
        share = server.cpu_s() / (minutes * 60)
    report_progress(f"soak: {len(codes) / minutes / 60:.1f} responses/s, the server used {share:.1%} of a core")
    return _evaluate(samples, codes, left_over, panics, minutes)


def _samples(server: Server, seconds: float) -> list[tuple[float, float, int, int]]:
    """Samples the server periodically. Each sample has the time in seconds, resident MiB, descriptors and threads."""
    started_at = time.monotonic()
    samples = []
    while (elapsed_s := time.monotonic() - started_at) < seconds:
        samples.append((elapsed_s, server.resident_bytes() / MIB, server.descriptors(), server.threads()))
        if len(samples) % 30 == 0:
            report_progress("soak: {:.0f} s, {:.1f} MiB, {} descriptors, {} threads".format(*samples[-1]))
        time.sleep(SAMPLE_S)
    return samples


def _evaluate(
    samples: list[tuple[float, float, int, int]],
    codes: list[str],
    left_over: tuple[float, float],
    panics: float,
    minutes: float,
) -> list[Figure]:
    steady = samples[int(len(samples) * WARM_UP_SHARE) :]
    slope = _slope([(at, resident) for at, resident, _, _ in steady]) * WINDOW_S
    memory = f"{slope:+.2f} MiB per 10 min ({steady[0][1]:.0f} to {steady[-1][1]:.0f} MiB)"
    descriptors, threads = ([sample[column] for sample in steady] for column in (2, 3))
    half = len(steady) // 2
    drift = _mean(descriptors[half:]) - _mean(descriptors[:half])
    remaining = f"{left_over[0]:.0f} requests, {left_over[1]:.0f} bytes, {panics:.0f} panics"
    what = f"{minutes:g} minutes"
    return [
        Figure("soak", f"{what}: resident memory", "< 1 MiB per 10 min", memory, slope < SLOPE_MIB_MAX),
        Figure(
            "soak", f"{what}: descriptors", "constant", f"{_range(descriptors)}, drift {drift:+.1f}", abs(drift) < 3
        ),
        Figure("soak", f"{what}: threads", "constant", _range(threads), len(set(threads)) == 1),
        Figure(
            "soak", f"{what}: responses", "none INTERNAL or LOST", counted(codes), not {"INTERNAL", "LOST"} & set(codes)
        ),
        Figure("soak", f"{what}: left over", "nothing", remaining, not any(left_over) and not panics),
    ]


def _slope(points: list[tuple[float, float]]) -> float:
    """Slope of the least-squares line through `points`."""
    middle_x, middle_y = (_mean([point[axis] for point in points]) for axis in (0, 1))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


def _mean(values: list[float] | list[int]) -> float:
    return sum(values) / len(values)


def _range(values: list[int]) -> str:
    return f"{min(values)} to {max(values)}"


def _send_valid(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Sends valid images of several formats and sizes over both protocols, on a new connection from time to time."""
    messages = [request(image) for image in [*images.of_each_format(), images.photograph(), images.costly()]]
    for make in itertools.cycle(CLIENTS.values()):
        client = make(server.address)
        for message in messages * 5:
            if ended.wait(pause_s):
                return client.close()
            codes.append(client.classify(message).code)
        client.close()


def _send_corrupt(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Sends corrupt images and decompression bombs."""
    rng = random.Random(SEED)
    originals = images.of_each_format()
    bombs = list(images.bombs().values())
    for make in itertools.cycle(CLIENTS.values()):
        client = make(server.address)
        for _ in range(100):
            if ended.wait(pause_s):
                return client.close()
            is_bomb = rng.random() < 0.2
            image = rng.choice(bombs) if is_bomb else malformed.mutated(rng.choice(originals), rng)
            codes.append(client.classify(request(image)).code)
        client.close()


def _abuse(server: Server, ended: threading.Event, codes: list[str], pause_s: float) -> None:
    """Sends incomplete messages and garbage, sets deadlines that are too short, resets streams, and keeps idle sockets."""
    message = request(images.small())
    headers = http2.request_headers("localhost")

    def short_deadline() -> None:
        client = GrpcClient(server.address)
        codes.append(client.classify(message, 0.002).code)
        client.close()

    def incomplete_message() -> None:
        connection = http2.Connection(server.port)
        headers_frame = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, headers)
        connection.send(headers_frame + http2.frame(http2.DATA, 0, 1, grpc_frame(message)[:500]))
        connection.socket.close()

    def reset() -> None:
        connection = http2.Connection(server.port)
        headers_frame = http2.frame(http2.HEADERS, http2.END_HEADERS, 1, headers)
        data_frame = http2.frame(http2.DATA, http2.END_STREAM, 1, grpc_frame(message))
        connection.send(headers_frame + data_frame + http2.frame(http2.RST_STREAM, 0, 1, http2.CANCEL))
        connection.socket.close()

    def garbage() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"\x16\x03\x01\x02\0\x01garbage\r\n\r\n")

    def idle_socket() -> None:
        idle.append(socket.create_connection(("127.0.0.1", server.port)))
        if len(idle) > 20:
            idle.pop(0).close()

    idle: list[socket.socket] = []
    kinds: list[Callable[[], None]] = [short_deadline, incomplete_message, reset, garbage, idle_socket]
    for abuse in itertools.cycle(kinds):
        if ended.wait(pause_s * ABUSE_PAUSE_FACTOR):
            break
        abuse()
    for connection in idle:
        connection.close()
