"""`kill -9` of one server of three under load: no request is lost, and the server is back within seconds."""

import time

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import Replica, running
from fleet.traffic import Answered, Traffic, codes, lost
from report import Figure, counted, report_progress

ROUNDS = 20
LOAD_SHARE = 0.6
"""Of the peak: two servers of three could do it."""
ROUND_SECONDS = 5
KILL_AFTER_S = 1
BACK_SECONDS_MAX = 3


def figures() -> list[Figure]:
    message = request(images.small())
    answered: list[Answered] = []
    back_s: list[float] = []
    with running("kill", 3) as replicas, Envoy("kill", [one.port for one in replicas]) as envoy, Traffic() as traffic:
        peak = traffic.peak(envoy.port, message)
        report_progress(f"kill: the peak is {peak:.0f} requests/s")
        for number in range(ROUNDS):
            envoy.wait_for_members(3)
            running_load = traffic.start(envoy.port, message, LOAD_SHARE * peak, ROUND_SECONDS)
            time.sleep(KILL_AFTER_S)
            back_s.append(_seconds_until_back(replicas[number % 3]))
            answered += (outcomes := running_load.result())
            report_progress(f"kill: round {number + 1}: {counted(codes(outcomes))}; back after {back_s[-1]:.1f} s")
        retries = envoy.statistic("upstream_rq_retry")
    return [
        *(_lost(client, answered) for client in ("raw HTTP/2", "gRPC", "gRPC-Web")),
        Figure(
            "fleet kill",
            "from kill -9 to the next answer of the restarted server",
            f"<= {BACK_SECONDS_MAX} s",
            f"{min(back_s):.1f} to {max(back_s):.1f} s",
            max(back_s) <= BACK_SECONDS_MAX,
        ),
        # Without one, nothing was in flight when the servers died.
        Figure("fleet kill", "retries by Envoy", "some", str(retries), retries > 0),
    ]


def _seconds_until_back(replica: Replica) -> float:
    """Kills and restarts a server. The seconds until it has answered a request."""
    killed_at = time.monotonic()
    replica.kill()
    replica.start()
    while replica.classified() == 0 and time.monotonic() < killed_at + 10 * BACK_SECONDS_MAX:
        time.sleep(0.05)
    return time.monotonic() - killed_at


def _lost(client: str, answered: list[Answered]) -> Figure:
    of_client = [one for one in answered if one.client == client]
    what = f"{ROUNDS} kills at {LOAD_SHARE:.0%} of the peak, {client}: requests lost"
    measured = f"{lost(of_client)} of {len(of_client)} ({counted(codes(of_client))})"
    return Figure("fleet kill", what, "0", measured, lost(of_client) == 0 and bool(of_client))
