"""One server of three is three times slower: weights from the servers' load reports (ORCA) against round robin.

The slow server is stopped two thirds of the time, in slices shorter than a request.
"""

import signal
import threading
import time

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import Replica, running
from fleet.traffic import Traffic
from report import Figure, percentile, report_progress

POLICIES = "type.googleapis.com/envoy.extensions.load_balancing_policies"
ROUND_ROBIN = {
    "name": "envoy.load_balancing_policies.round_robin",
    "typed_config": {"@type": f"{POLICIES}.round_robin.v3.RoundRobin"},
}
WEIGHTED = {
    "name": "envoy.load_balancing_policies.client_side_weighted_round_robin",
    "typed_config": {
        "@type": f"{POLICIES}.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin",
        "blackout_period": "2s",
        "weight_update_period": "1s",
    },
}
LOAD_SHARE = 0.25
"""Of the peak: a third of the servers' cores are left to the one that is stopped most of the time."""
SETTLE_S, SECONDS = 6, 20
RUN_S, STOP_S = 0.004, 0.008
P99_FACTOR_MAX = 1.5


def figures() -> list[Figure]:
    message = request(images.small())
    with running("slow-server", 3, "--load-reports") as replicas:
        ports = [one.port for one in replicas]
        with Envoy("slow-server", ports, policy=ROUND_ROBIN) as envoy, Traffic() as traffic:
            rate = LOAD_SHARE * traffic.peak(envoy.port, message)
            even, _ = _p99_and_shares(replicas, envoy, traffic, message, rate)
            with _Slowed(replicas[2]):
                robin, robin_shares = _p99_and_shares(replicas, envoy, traffic, message, rate)
        with Envoy("slow-server", ports, policy=WEIGHTED) as envoy, Traffic() as traffic, _Slowed(replicas[2]):
            weighted, weighted_shares = _p99_and_shares(replicas, envoy, traffic, message, rate)
        with Envoy("slow-server", ports) as envoy, Traffic() as traffic, _Slowed(replicas[2]):
            least, least_shares = _p99_and_shares(replicas, envoy, traffic, message, rate)
    milliseconds = f"{weighted * 1000:.0f} ms; all even {even * 1000:.0f} ms, round robin {robin * 1000:.0f} ms, "
    milliseconds += f"least request {least * 1000:.0f} ms"
    shares = f"{weighted_shares[2]:.0%}; round robin {robin_shares[2]:.0%}, least request {least_shares[2]:.0%}"
    what = "one server three times slower, ORCA weights"
    return [
        Figure(
            "fleet slow-server", f"{what}: p99", "<= 1.5x of all even", milliseconds, weighted <= P99_FACTOR_MAX * even
        ),
        Figure(
            "fleet slow-server",
            f"{what}: its share of the requests",
            "below round robin's",
            shares,
            weighted_shares[2] < robin_shares[2] - 0.05,
        ),
    ]


def _p99_and_shares(
    replicas: list[Replica], envoy: Envoy, traffic: Traffic, message: bytes, rate: float
) -> tuple[float, list[float]]:
    """The 99th percentile of the seconds that a request takes, and each server's share of the requests."""
    envoy.wait_for_members(len(replicas))
    running_load = traffic.start(envoy.port, message, rate, SETTLE_S + SECONDS)
    time.sleep(SETTLE_S)
    settled_at, before = time.monotonic(), [replica.classified() for replica in replicas]
    outcomes = [one for one in running_load.result() if one.started_at >= settled_at]
    gained = [replica.classified() - then for replica, then in zip(replicas, before)]
    shares = [gain / sum(gained) for gain in gained]
    p99 = percentile([one.seconds for one in outcomes], 99)
    report_progress(f"slow server: p99 {p99 * 1000:.0f} ms, shares {[f'{share:.0%}' for share in shares]}")
    return p99, shares


class _Slowed:
    """Stops a server two thirds of the time."""

    def __init__(self, replica: Replica) -> None:
        self.process = replica.server.process
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._slow_down)

    def _slow_down(self) -> None:
        while not self.ended.is_set():
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(STOP_S)
            self.process.send_signal(signal.SIGCONT)
            time.sleep(RUN_S)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()
