"""Tries whether the server keeps its promises under load, faults and bad input, and says so in a table.

usage: main.py [SCENARIO...] [--minutes N] [--pause MS]

Without a scenario, or with `all`, each of them. N minutes of soak, 60 if not given, each of whose callers pauses for MS
milliseconds between two calls, 20 if not given. Exit status 1: a figure was missed.
"""

import argparse
import importlib
import sys

from report import Figure, machine, say, table

SCENARIOS = ["memory", "malformed", "slow", "flood", "cancel", "drain", "overload", "soak"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="cargo xtask stress")
    names = [*SCENARIOS, "all"]
    parser.add_argument("scenario", nargs="*", default=["all"], metavar="|".join(names))
    parser.add_argument("--minutes", type=float, default=60, help="how long the soak takes (default: 60)")
    parser.add_argument("--pause", type=float, default=20, help="milliseconds between two calls of a soak's caller")
    arguments = parser.parse_args()
    for name in arguments.scenario:
        if name not in names:
            parser.error(f"there is no scenario {name!r}")
    wanted = SCENARIOS if "all" in arguments.scenario else arguments.scenario
    soak = arguments.minutes, arguments.pause / 1000
    figures: list[Figure] = []
    for name in wanted:
        say(f"{name} ...")
        scenario = importlib.import_module(name)
        figures += scenario.figures(*soak) if name == "soak" else scenario.figures()
    missed = sum(not figure.ok for figure in figures)
    print(f"{machine()}\n\n{table(figures)}\n\n{len(figures) - missed} held, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
