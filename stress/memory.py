"""The server rejects decompression bombs before they use memory or time, and 200 uploads of the largest images fit in memory."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import images
from clients import CLIENTS, Response, request
from report import MIB, Figure, counted, report_progress
from server import Server

UPLOADS = 200
BOMBS = 20
BOMB_ROUNDS = 20
BOMB_SECONDS_MAX = 0.05
BOMB_BYTES_MAX = 20 * MIB
PEAK_BYTES_MAX = 1024 * MIB
SECONDS = 30
PAUSE_S = 0.2
RETRY_CODES = ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")


def figures() -> list[Figure]:
    with Server("memory") as server:
        return [*bombs(server), *uploads(server)]


def bombs(server: Server) -> list[Figure]:
    """Measures on an idle server that has already classified an image."""
    measured = []
    for protocol, make in CLIENTS.items():
        client = make(server.address)
        client.classify(request(images.photograph()))
        for name, bomb in images.bombs().items():
            message = request(bomb)
            before = server.resident_bytes()
            server.reset_peak()
            responses = [client.classify(message) for _ in range(BOMB_ROUNDS)]
            growth = server.peak_bytes() - before
            slowest = max(response.seconds for response in responses)
            rejected = all(r.code == "INVALID_ARGUMENT" and b"IMAGE_DIMENSIONS" in r.details for r in responses)
            values = f"{counted([r.code for r in responses])}, {slowest * 1000:.1f} ms, + {growth / MIB:.1f} MiB"
            ok = rejected and slowest <= BOMB_SECONDS_MAX and growth <= BOMB_BYTES_MAX
            measured.append(Figure("memory", f"{name}, {protocol}", "rejected, 50 ms, + 20 MB", values, ok))
        client.close()
    return measured


def uploads(server: Server) -> list[Figure]:
    """Starts all requests at the same time, half of them over each protocol, each on its own connection. Rejected clients
    retry."""
    large = [request(image) for image in images.large().values()]
    bombs = [request(image) for image in images.bombs().values()]
    work = [*itertools.islice(itertools.cycle(large), UPLOADS), *itertools.islice(itertools.cycle(bombs), BOMBS)]
    clients = itertools.cycle(CLIENTS.values())
    start = threading.Barrier(len(work))

    def classify(message: bytes, make: type) -> list[Response]:
        client = make(server.address)
        start.wait()
        responses = [client.classify(message)]
        while responses[-1].code in RETRY_CODES and responses[-1].ended_at < until:
            time.sleep(PAUSE_S)
            responses.append(client.classify(message))
        client.close()
        return responses

    server.reset_peak()
    started_at = time.monotonic()
    until = started_at + SECONDS
    with ThreadPoolExecutor(len(work)) as pool:
        responses = [response for of_client in pool.map(classify, work, clients) for response in of_client]
    codes = [response.code for response in responses]
    report_progress(f"memory: {len(work)} clients in {time.monotonic() - started_at:.1f} s: {counted(codes)}")
    peak = server.peak_bytes()
    ok = not {"LOST", "CONNECTION_REFUSED", "INTERNAL", "UNKNOWN", "NO_STATUS"} & set(codes) and server.alive()
    what = f"{UPLOADS} uploads of 10 MiB and {BOMBS} bombs at once"
    return [
        Figure("memory", f"{what}: peak", "<= 1024 MiB", f"{peak / MIB:.0f} MiB", peak <= PEAK_BYTES_MAX),
        Figure("memory", f"{what}: responses", "each with a status", counted(codes), ok),
    ]
