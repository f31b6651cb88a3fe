"""A third server behind a proxy that forwards connections (layer 4): it gets requests only if servers end old connections."""

import threading
import time
from dataclasses import dataclass

import images
from clients import GrpcClient, request
from fleet.envoy import Envoy
from fleet.replicas import Replica, running
from report import Figure, counted, report_progress

AGE_S = 5
CLIENTS = 12
PAUSE_S = 0.05
BEFORE_S, WITHIN_S, MEASURED_S = 3, 15, 10
SHARE_MIN = 0.25


@dataclass(frozen=True)
class Observed:
    """The third server's share of the requests after `WITHIN_S`, and the codes of all requests."""

    share: float
    codes: list[str]


def figures() -> list[Figure]:
    aged = _observe("--connection-age-max", str(AGE_S))
    control = _observe()
    failed = len(aged.codes) - aged.codes.count("OK")
    scenario = "fleet connection-age"
    return [
        Figure(
            scenario,
            f"2 -> 3 servers behind an L4 proxy, age {AGE_S} s: share of the third after {WITHIN_S} s",
            ">= 25 %",
            f"{aged.share:.0%}",
            aged.share >= SHARE_MIN,
        ),
        Figure(scenario, "requests failed", "0", f"{failed} of {len(aged.codes)} ({counted(aged.codes)})", failed == 0),
        Figure(
            scenario,
            "without --connection-age-max (control): share of the third",
            "0 %",
            f"{control.share:.0%}",
            control.share == 0,
        ),
    ]


def _observe(*options: str) -> Observed:
    message = request(images.small())
    codes: list[str] = []
    ended = threading.Event()
    with running("age", 3, *options) as replicas:
        *_, third = replicas
        third.kill()
        with Envoy("age", [one.port for one in replicas], layer=4, up=2) as envoy:
            clients = [
                threading.Thread(target=_call, args=(envoy.address, message, ended, codes)) for _ in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            time.sleep(BEFORE_S)
            third.start()
            envoy.wait_for_members(3)
            time.sleep(WITHIN_S)
            before = _classified(replicas)
            time.sleep(MEASURED_S)
            after = _classified(replicas)
            ended.set()
            for client in clients:
                client.join()
    gained = [now - then for then, now in zip(before, after)]
    report_progress(f"connection age: {options or 'no option'}: {gained} requests in {MEASURED_S} s")
    return Observed(gained[2] / sum(gained), codes)


def _classified(replicas: list[Replica]) -> list[int]:
    return [replica.classified() for replica in replicas]


def _call(address: str, message: bytes, ended: threading.Event, codes: list[str]) -> None:
    client = GrpcClient(address)
    while not ended.is_set():
        codes.append(client.classify(message).code)
        time.sleep(PAUSE_S)
    client.close()
