"""Three times the peak through Envoy: the servers keep their goodput, and retries do not multiply the load."""

import statistics

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import running
from fleet.traffic import Traffic
from report import Figure, counted, report_progress

ROUNDS = 3
FACTOR = 3
SECONDS = 10
SETTLE_S = 2
GOODPUT_MIN = 0.9
RETRIES_MAX = 0.2


def figures() -> list[Figure]:
    message = request(images.costly())
    ratios: list[float] = []
    all_codes: list[str] = []
    with (
        running("fleet-overload", 3) as replicas,
        Envoy("fleet-overload", [one.port for one in replicas]) as envoy,
        Traffic() as traffic,
    ):
        for _ in range(ROUNDS):
            envoy.wait_for_members(3)
            peak = traffic.peak(envoy.port, message)
            load = traffic.overload(envoy.port, message, FACTOR * peak, SECONDS)
            first = load.outcomes[0].started_at + SETTLE_S
            good = [one for one in load.outcomes if one.code == "OK" and one.started_at >= first]
            goodput = len(good) / (load.ended_at - first)
            ratios.append(goodput / peak)
            all_codes += [one.code for one in load.outcomes]
            report_progress(f"fleet overload: {goodput:.1f} of {peak:.1f} requests/s")
        retries, requests = envoy.statistic("upstream_rq_retry"), envoy.statistic("upstream_rq_total")
        still_healthy = envoy.healthy()
    shown = f"{statistics.median(ratios):.1%} ({min(ratios):.0%} to {max(ratios):.0%}); {counted(all_codes)}"
    others = [code for code in all_codes if code not in ("OK", "RESOURCE_EXHAUSTED")]
    return [
        Figure(
            "fleet overload", f"{FACTOR}x: goodput", ">= 90 % of peak", shown, statistics.median(ratios) >= GOODPUT_MIN
        ),
        Figure("fleet overload", f"{FACTOR}x: neither successful nor rejected", "none", counted(others), not others),
        Figure(
            "fleet overload",
            f"{FACTOR}x: retries by Envoy",
            "<= 20 % of requests",
            f"{retries} of {requests}",
            retries <= RETRIES_MAX * requests,
        ),
        Figure("fleet overload", "healthy servers afterwards", "3", str(still_healthy), still_healthy == 3),
    ]
