"""Tests the server under load, faults and bad input, and prints a table of figures with their targets.

usage: main.py [SCENARIO...] [--minutes N] [--pause MS]
       main.py fleet [SCENARIO...]

Runs all scenarios with one server by default; after `fleet`, those with several servers behind Envoy. The soak lasts N minutes
(default: 60), and each of its clients pauses for MS milliseconds between two requests (default: 20). Exits with 1 if a figure
misses its target.
"""

import argparse
import importlib
import sys

from report import Figure, machine, report_progress, table

SCENARIOS = ["memory", "malformed", "slow", "flood", "cancel", "drain", "overload", "soak"]


def main() -> int:
    if sys.argv[1:2] == ["fleet"]:
        return _report(importlib.import_module("fleet.main").figures(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="cargo xtask stress")
    names = [*SCENARIOS, "all"]
    parser.add_argument("scenario", nargs="*", default=["all"], metavar="|".join(names))
    parser.add_argument("--minutes", type=float, default=60, help="duration of the soak (default: 60)")
    parser.add_argument(
        "--pause", type=float, default=20, help="milliseconds between two requests of a soak client (default: 20)"
    )
    arguments = parser.parse_args()
    for name in arguments.scenario:
        if name not in names:
            parser.error(f"there is no scenario {name!r}")
    wanted = SCENARIOS if "all" in arguments.scenario else arguments.scenario
    soak = arguments.minutes, arguments.pause / 1000
    figures: list[Figure] = []
    for name in wanted:
        report_progress(f"{name} ...")
        scenario = importlib.import_module(name)
        figures += scenario.figures(*soak) if name == "soak" else scenario.figures()
    return _report(figures)


def _report(figures: list[Figure]) -> int:
    """Prints the table. The exit status."""
    missed = sum(not figure.ok for figure in figures)
    print(f"{machine()}\n\n{table(figures)}\n\n{len(figures) - missed} of {len(figures)} targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
