"""A rolling restart of all three servers under load: no request is lost, and every server exits with 0."""

import time

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import running
from fleet.traffic import Answered, Traffic, codes, lost
from report import Figure, counted, report_progress

ROUNDS = 5
LOAD_SHARE = 0.6
GRACE_S = 3
"""--drain-grace as in deploy/compose.yaml: Envoy notices NOT_SERVING after two health checks."""
RESTART_SECONDS = 9
"""For the shutdown of one server, its start, and Envoy to notice it."""


def figures() -> list[Figure]:
    message = request(images.small())
    answered: list[Answered] = []
    statuses: list[int] = []
    options = ("--drain-grace", str(GRACE_S))
    with (
        running("rolling", 3, *options) as replicas,
        Envoy("rolling", [one.port for one in replicas]) as envoy,
        Traffic() as traffic,
    ):
        peak = traffic.peak(envoy.port, message)
        report_progress(f"rolling: the peak is {peak:.0f} requests/s")
        for number in range(ROUNDS):
            envoy.wait_for_members(3)
            running_load = traffic.start(envoy.port, message, LOAD_SHARE * peak, RESTART_SECONDS * len(replicas))
            for replica in replicas:
                started_at = time.monotonic()
                statuses.append(replica.terminate())
                replica.start()
                envoy.wait_for_members(3)
                time.sleep(max(0, started_at + RESTART_SECONDS - 1 - time.monotonic()))
            answered += (outcomes := running_load.result())
            report_progress(f"rolling: round {number + 1}: {counted(codes(outcomes))}")
    measured = f"{lost(answered)} of {len(answered)} ({counted(codes(answered))})"
    exits = counted([f"exit {status}" for status in statuses])
    return [
        Figure("fleet rolling", f"{ROUNDS} rolling restarts: requests lost", "0", measured, lost(answered) == 0),
        Figure("fleet rolling", "exit status", "0", exits, set(statuses) == {0}),
    ]
