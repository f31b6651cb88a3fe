"""One server of three on the scalar kernel: weights from the servers' load reports (ORCA) against round robin.

It is as slow as a machine with an old CPU.
"""

import time
from typing import Any

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
SLOW = ("--kernel", "scalar")
LOAD_SHARE = 0.3
"""Of the peak: the slow server makes the same load cost more."""
SETTLE_S, SECONDS = 6, 20
P99_FACTOR_MAX = 1.5


def figures() -> list[Figure]:
    message = request(images.small())
    with running("slow-server", 3, "--load-reports") as replicas:
        ports = [one.port for one in replicas]
        with Envoy("slow-server", ports, policy=ROUND_ROBIN) as envoy, Traffic() as traffic:
            rate = LOAD_SHARE * traffic.peak(envoy.port, message)
            even, _ = _p99_and_shares(replicas, envoy, traffic, message, rate)
        replicas[2].kill()
        replicas[2].options += SLOW
        replicas[2].start()
        (robin, robin_shares), (weighted, weighted_shares), (least, least_shares) = (
            _with_policy(policy, replicas, message, rate) for policy in (ROUND_ROBIN, WEIGHTED, None)
        )
    milliseconds = f"{weighted * 1000:.0f} ms; all even {even * 1000:.0f} ms, round robin {robin * 1000:.0f} ms, "
    milliseconds += f"least request {least * 1000:.0f} ms"
    shares = f"{weighted_shares[2]:.0%}; round robin {robin_shares[2]:.0%}, least request {least_shares[2]:.0%}"
    what = "one server on the scalar kernel, ORCA weights"
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


def _with_policy(
    policy: dict[str, Any] | None, replicas: list[Replica], message: bytes, rate: float
) -> tuple[float, list[float]]:
    """The same for an Envoy with this policy; without one, that of deploy/envoy/."""
    with Envoy("slow-server", [one.port for one in replicas], policy=policy) as envoy, Traffic() as traffic:
        return _p99_and_shares(replicas, envoy, traffic, message, rate)


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
