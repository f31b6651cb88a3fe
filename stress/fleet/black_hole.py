"""One server of three stops answering without closing a connection: Envoy leaves it out, and goodput recovers."""

import time

import images
from clients import request
from fleet.envoy import Envoy
from fleet.replicas import running
from fleet.traffic import Answered, Traffic, codes
from report import Figure, counted, report_progress

ROUNDS = 3
LOAD_SHARE = 0.4
BEFORE_S, AFTER_S = 5, 15
RECOVERY_SECONDS_MAX = 10
GOODPUT_MIN = 0.95
WINDOW_S = 3
"""In which goodput is measured: a request that is a little late does not count as lost."""
LOAD_STARTS_WITHIN_S = 1


def figures() -> list[Figure]:
    message = request(images.small())
    goodputs_before: list[float] = []
    recoveries: list[float] = []
    failed, count = 0, 0
    with (
        running("black-hole", 3) as replicas,
        Envoy("black-hole", [one.port for one in replicas]) as envoy,
        Traffic() as traffic,
    ):
        peak = traffic.peak(envoy.port, message)
        for number in range(ROUNDS):
            envoy.wait_for_members(3)
            running_load = traffic.start(envoy.port, message, LOAD_SHARE * peak, BEFORE_S + AFTER_S)
            started_at = time.monotonic()
            time.sleep(BEFORE_S)
            frozen_at = time.monotonic()
            replicas[number].freeze()
            time.sleep(AFTER_S)
            replicas[number].thaw()
            outcomes = running_load.result()
            before = _goodput(outcomes, started_at + LOAD_STARTS_WITHIN_S, frozen_at)
            goodputs_before.append(before)
            recoveries.append(_recovery(outcomes, frozen_at, before))
            failed += len(outcomes) - codes(outcomes).count("OK")
            count += len(outcomes)
            report_progress(
                f"black hole: {before:.0f} requests/s before, {counted(codes(outcomes))}; {recoveries[-1]:.1f} s"
            )
            envoy.wait_for_members(3)
    measured = ", ".join(f"{seconds:.1f}" for seconds in recoveries) + f" s; {failed} of {count} requests failed"
    target = f"goodput >= {GOODPUT_MIN:.0%} within {RECOVERY_SECONDS_MAX} s"
    return [
        Figure(
            "fleet black-hole",
            f"{ROUNDS} times a server without an answer, at {LOAD_SHARE:.0%} of the peak",
            target,
            measured,
            min(goodputs_before) > 0 and max(recoveries) <= RECOVERY_SECONDS_MAX,
        )
    ]


def _goodput(outcomes: list[Answered], begin: float, end: float) -> float:
    """Requests per second that ended well, by the time at which they ended."""
    ends = [one.started_at + one.seconds for one in outcomes if one.code == "OK"]
    return sum(begin <= at < end for at in ends) / (end - begin)


def _recovery(outcomes: list[Answered], frozen_at: float, before: float) -> float:
    """Seconds after which every later window has enough goodput."""
    starts = range(AFTER_S - WINDOW_S)
    goodputs = [_goodput(outcomes, frozen_at + at, frozen_at + at + WINDOW_S) for at in starts]
    missed = [at for at, goodput in enumerate(goodputs) if goodput < GOODPUT_MIN * before]
    return missed[-1] + 1 if missed else 0.0
