"""Several servers with workers, queues and admission as the product has them, fed with requests at given times.

A server takes requests in their order, one per free worker. It rejects a request that would wait longer than
`--queue-wait-max`. The dispatcher chooses a server for each request, as a proxy or a client does.
"""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass

POLICIES = ("least request of two", "round robin", "random", "pinned connections")
CLIENTS_PER_SERVER = 4
"""With pinned connections: clients whose connections an L4 balancer has spread at random."""


@dataclass(frozen=True)
class Fleet:
    """Equal servers. One of `services_s`, at random, is the time for which an image keeps one worker busy."""

    servers: int
    workers: int
    services_s: Sequence[float]
    queue_wait_max_s: float = 1.0


@dataclass(frozen=True)
class Result:
    """Waits of the accepted requests in seconds, and the number of rejected ones."""

    waits_s: list[float]
    rejected: int
    last_end_s: float

    def rejected_share(self) -> float:
        return self.rejected / (self.rejected + len(self.waits_s))


class _Server:
    """Times at which its workers become free, and at which requests that it has accepted end."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.free_at = [0.0] * fleet.workers
        self.ends: list[float] = []

    def in_flight(self, now: float) -> int:
        while self.ends and self.ends[0] <= now:
            heapq.heappop(self.ends)
        return len(self.ends)

    def offer(self, now: float, service_s: float) -> float | None:
        """The wait of a request that comes now; none if it is rejected."""
        wait_s = max(0.0, self.free_at[0] - now)
        if wait_s > self.fleet.queue_wait_max_s:
            return None
        end = now + wait_s + service_s
        heapq.heapreplace(self.free_at, end)
        heapq.heappush(self.ends, end)
        return wait_s


def simulate(fleet: Fleet, arrivals_s: Sequence[float], policy: str = POLICIES[0], seed: int = 1) -> Result:
    rng = random.Random(seed)
    servers = [_Server(fleet) for _ in range(fleet.servers)]
    pinned = [rng.randrange(fleet.servers) for _ in range(CLIENTS_PER_SERVER * fleet.servers)]
    waits_s: list[float] = []
    rejected, last_end_s = 0, 0.0
    for number, now in enumerate(arrivals_s):
        match policy:
            case "least request of two":
                pair = servers[rng.randrange(fleet.servers)], servers[rng.randrange(fleet.servers)]
                server = min(pair, key=lambda one: one.in_flight(now))
            case "round robin":
                server = servers[number % fleet.servers]
            case "random":
                server = servers[rng.randrange(fleet.servers)]
            case _:
                server = servers[pinned[rng.randrange(len(pinned))]]
        service_s = rng.choice(fleet.services_s)
        wait_s = server.offer(now, service_s)
        if wait_s is None:
            rejected += 1
        else:
            waits_s.append(wait_s)
            last_end_s = max(last_end_s, now + wait_s + service_s)
    return Result(waits_s, rejected, last_end_s)


def poisson(rate: float, seconds: float, seed: int) -> list[float]:
    """Times of requests of independent users."""
    rng, times, now = random.Random(seed), [], 0.0
    while (now := now + rng.expovariate(rate)) < seconds:
        times.append(now)
    return times
