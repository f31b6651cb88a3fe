"""Scenarios with several servers behind Envoy, and with several shards of a bulk classification."""

import argparse
import importlib

from report import Figure, report_progress

SCENARIOS = {
    "kill": "kill -9 of one server of three under load, 20 times",
    "rolling": "rolling restart of three servers under load, 5 times",
    "black-hole": "a server that does not answer and closes nothing",
    "overload": "three times the peak",
    "connection-age": "a third server behind a proxy that forwards connections",
    "slow-server": "one server on the scalar kernel: weights from load reports against round robin",
    "cost": "Envoy's CPU time for each request",
    "page": "200 images on the page in Chromium, through Envoy",
    "bulk": "10,000 images in object storage, four shards, one killed and run again",
    "linear": "one, two and three servers with simulated work",
    "swarm": "rolling updates of deploy/compose.yaml on Docker Swarm, 3 times; needs root and Docker, and runs only if it is named",
}
ONLY_IF_NAMED = {"swarm"}


def figures(arguments: list[str]) -> list[Figure]:
    """The figures of the scenarios that `arguments` name, of all without a name."""
    parser = argparse.ArgumentParser(
        prog="cargo xtask stress fleet",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:16}{about}" for name, about in SCENARIOS.items()),
    )
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help="default: all except swarm")
    names = parser.parse_args(arguments).scenario
    for name in names:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name!r}")
    found: list[Figure] = []
    for name in names or [name for name in SCENARIOS if name not in ONLY_IF_NAMED]:
        report_progress(f"fleet {name} ...")
        found += importlib.import_module(f"fleet.{name.replace('-', '_')}").figures()
    return found
