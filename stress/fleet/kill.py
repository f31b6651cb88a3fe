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
ROUND_SECONDS = 8
KILL_AFTER_S = 1
BACK_SECONDS_MAX = 3


def figures() -> list[Figure]:
    message = request(images.small())
    answered: list[Answered] = []
    starts_s: list[float] = []
    back_s: list[float] = []
    with running("kill", 3) as replicas, Envoy("kill", [one.port for one in replicas]) as envoy, Traffic() as traffic:
        peak = traffic.peak(envoy.port, message)
        report_progress(f"kill: the peak is {peak:.0f} requests/s")
        for number in range(ROUNDS):
            envoy.wait_for_members(3)
            running_load = traffic.start(envoy.port, message, LOAD_SHARE * peak, ROUND_SECONDS)
            time.sleep(KILL_AFTER_S)
            start_s, seconds = _seconds_until_back(replicas[number % 3])
            starts_s.append(start_s)
            back_s.append(seconds)
            answered += (outcomes := running_load.result())
            shown = counted(codes(outcomes))
            report_progress(f"kill: round {number + 1}: {shown}; starts in {start_s:.1f} s, back after {seconds:.1f} s")
        report_progress(f"kill: Envoy: {envoy.why_lost()}")
        retries = envoy.statistic("upstream_rq_retry")
    return [
        *(_lost(client, answered) for client in ("raw HTTP/2", "gRPC", "gRPC-Web")),
        Figure(
            "fleet kill",
            "from kill -9 to the next answer of the restarted server",
            f"<= {BACK_SECONDS_MAX} s",
            f"{min(back_s):.1f} to {max(back_s):.1f} s, of which {min(starts_s):.1f} to {max(starts_s):.1f} s to start",
            max(back_s) <= BACK_SECONDS_MAX,
        ),
        # Without one, nothing was in flight when the servers died.
        Figure("fleet kill", "retries by Envoy", "some", str(retries), retries > 0),
    ]


def _seconds_until_back(replica: Replica) -> tuple[float, float]:
    """Kills and restarts a server. The seconds until it is ready, and until it has answered a request."""
    killed_at = time.monotonic()
    replica.kill()
    replica.start()
    start_s = time.monotonic() - killed_at
    while replica.classified() == 0 and time.monotonic() < killed_at + ROUND_SECONDS:
        time.sleep(0.05)
    return start_s, time.monotonic() - killed_at


def _lost(client: str, answered: list[Answered]) -> Figure:
    of_client = [one for one in answered if one.client == client]
    what = f"{ROUNDS} kills at {LOAD_SHARE:.0%} of the peak, {client}: requests lost"
    measured = f"{lost(of_client)} of {len(of_client)} ({counted(codes(of_client))})"
    return Figure("fleet kill", what, "0", measured, lost(of_client) == 0 and bool(of_client))
