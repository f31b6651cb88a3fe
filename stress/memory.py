"""Bombs are refused before they cost anything; the largest pictures that are taken, 200 at once, stay within memory."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pictures
from calls import CLIENTS, Answer, request
from report import MIB, Figure, counted, say
from server import Server

UPLOADS = 200
BOMBS = 20
BOMB_ROUNDS = 20
BOMB_SECONDS_MAX = 0.05
BOMB_BYTES_MAX = 20 * MIB
PEAK_BYTES_MAX = 1024 * MIB
SECONDS = 30
PAUSE_S = 0.2
TRY_AGAIN = ("RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")


def figures() -> list[Figure]:
    with Server("memory") as server:
        return [*bombs(server), *uploads(server)]


def bombs(server: Server) -> list[Figure]:
    """On an idle server that has classified something already."""
    found = []
    for protocol, make in CLIENTS.items():
        client = make(server.address)
        client.classify(request(pictures.photograph()))
        for name, bomb in pictures.bombs().items():
            message = request(bomb)
            before = server.resident_bytes()
            server.forget_peak()
            answers = [client.classify(message) for _ in range(BOMB_ROUNDS)]
            grown = server.peak_bytes() - before
            slowest = max(answer.seconds for answer in answers)
            refused = all(a.code == "INVALID_ARGUMENT" and b"IMAGE_DIMENSIONS" in a.details for a in answers)
            measured = f"{counted([a.code for a in answers])}, {slowest * 1000:.1f} ms, + {grown / MIB:.1f} MiB"
            ok = refused and slowest <= BOMB_SECONDS_MAX and grown <= BOMB_BYTES_MAX
            found.append(Figure("memory", f"{name}, {protocol}", "refused, 50 ms, + 20 MB", measured, ok))
        client.close()
    return found


def uploads(server: Server) -> list[Figure]:
    """Half of the calls over either protocol, all begun at the same moment, each on a connection of its own. Who is
    refused tries again."""
    large = [request(picture) for picture in pictures.large().values()]
    bombs = [request(picture) for picture in pictures.bombs().values()]
    work = [*itertools.islice(itertools.cycle(large), UPLOADS), *itertools.islice(itertools.cycle(bombs), BOMBS)]
    makers = itertools.cycle(CLIENTS.values())
    together = threading.Barrier(len(work))

    def call(message: bytes, make: type) -> list[Answer]:
        client = make(server.address)
        together.wait()
        answers = [client.classify(message)]
        while answers[-1].code in TRY_AGAIN and answers[-1].ended_at < until:
            time.sleep(PAUSE_S)
            answers.append(client.classify(message))
        client.close()
        return answers

    server.forget_peak()
    begun_at = time.monotonic()
    until = begun_at + SECONDS
    with ThreadPoolExecutor(len(work)) as pool:
        answers = [answer for all in pool.map(call, work, makers) for answer in all]
    codes = [answer.code for answer in answers]
    say(f"memory: {len(work)} callers in {time.monotonic() - begun_at:.1f} s: {counted(codes)}")
    peak = server.peak_bytes()
    answered = not {"LOST", "CONNECTION_REFUSED", "INTERNAL", "UNKNOWN", "NO_STATUS"} & set(codes)
    what = f"{UPLOADS} uploads of 10 MiB and {BOMBS} bombs at once"
    return [
        Figure("memory", f"{what}: peak", "<= 1024 MiB", f"{peak / MIB:.0f} MiB", peak <= PEAK_BYTES_MAX),
        Figure("memory", f"{what}: answers", "each with a status", counted(codes), answered and server.alive()),
    ]
