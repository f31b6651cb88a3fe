"""How many servers a load needs: measures one server, checks a simulation against it, and simulates fleets.

usage: main.py [check] [fleets] [--json]

check: one server under loads from half its peak to five times its peak, next to the simulation of the same requests.
fleets: by simulation alone, the load that servers bear within a wait, by the way in which requests reach them.
"""

import hashlib
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "stress"))

import images  # noqa: E402
from clients import request  # noqa: E402
from load import Load, at_times, closed_loop  # noqa: E402
from report import machine, percentile, report_progress  # noqa: E402
from server import Server  # noqa: E402

from simulation import POLICIES, Fleet, poisson, simulate  # noqa: E402

LOADS = (0.5, 0.7, 0.85, 1.5, 2, 5)
"""Of the peak."""
SECONDS = 10
PEAK_SECONDS, PEAK_IN_FLIGHT = 6, 8
WORKERS = 2
GOODPUT_TOLERANCE = 0.1
"""Between measurement and simulation. The generator shares the cores with the server."""

FLEET_SIZES = (3, 10, 100)
UTILISATIONS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SERVICES_S = [0.009] * 9 + [0.021]
"""For the fleets: nine 0.24 MP JPEGs and a 12 MP JPEG on a Zen 4 core (BENCHMARKS.md). Waits scale with them."""
FLEET_REQUESTS = 200_000


def check() -> dict[str, object]:
    """Measured and simulated goodput, rejections and waits."""
    message = request(images.costly())
    rows = []
    with Server("scaling") as server:
        closed_loop(server.port, message, PEAK_IN_FLIGHT, 2)
        peak = _peak(server, message)
        for seed, load in enumerate(LOADS):
            arrivals_s = poisson(load * peak, SECONDS, seed)
            measured = at_times(server.port, message, arrivals_s, SECONDS)
            after = _peak(server, message)
            # The speed of a machine that others use changes; that of this load is between those around it.
            fleet = Fleet(1, WORKERS, [WORKERS / ((peak + after) / 2)])
            rows.append(
                {"load": load, "offered_per_s": len(arrivals_s) / SECONDS} | _compared(fleet, arrivals_s, measured)
            )
            report_progress(f"check: {rows[-1]}")
            peak = after
    return {"peak_per_s": peak, "rows": rows, "digest_ms": _digest_ms()}


def _peak(server: Server, message: bytes) -> float:
    load = closed_loop(server.port, message, PEAK_IN_FLIGHT, PEAK_SECONDS)
    good = [outcome for outcome in load.outcomes if outcome.code == "OK"]
    return len(good) / (max(one.started_at + one.seconds for one in good) - load.outcomes[0].started_at)


def _compared(fleet: Fleet, arrivals_s: list[float], measured: Load) -> dict[str, float]:
    simulated = simulate(fleet, arrivals_s)
    good = [outcome for outcome in measured.outcomes if outcome.code == "OK"]
    first_s = measured.outcomes[0].started_at
    span_s = max(one.started_at + one.seconds for one in good) - first_s
    waits_s = [one.queue_s for one in good]
    return {
        "goodput": len(good) / span_s,
        "simulated_goodput": len(simulated.waits_s) / simulated.last_end_s,
        "rejected": 1 - len(good) / len(measured.outcomes),
        "simulated_rejected": simulated.rejected_share(),
        "wait_p50_ms": percentile(waits_s, 50) * 1000,
        "simulated_wait_p50_ms": percentile(simulated.waits_s, 50) * 1000,
        "wait_p99_ms": percentile(waits_s, 99) * 1000,
        "simulated_wait_p99_ms": percentile(simulated.waits_s, 99) * 1000,
    }


def _digest_ms() -> float:
    """SHA-256 of a 0.24 MP photograph: the key of a cache."""
    photograph = images.small(side=490, quality=95)
    started_at = time.perf_counter()
    for _ in range(1000):
        hashlib.sha256(photograph).digest()
    return time.perf_counter() - started_at


def fleets() -> dict[str, object]:
    """The 99th percentile of the wait in milliseconds, and the share of rejected requests."""
    rows = []
    for size in FLEET_SIZES:
        fleet = Fleet(size, WORKERS, SERVICES_S)
        for policy in POLICIES:
            for utilisation in UTILISATIONS:
                rate = utilisation * size * WORKERS / statistics.mean(SERVICES_S)
                result = simulate(fleet, poisson(rate, FLEET_REQUESTS / rate, seed=1), policy)
                wait_ms = percentile(result.waits_s, 99) * 1000
                rows.append(
                    {
                        "servers": size,
                        "policy": policy,
                        "utilisation": utilisation,
                        "wait_p99_ms": wait_ms,
                        "rejected": result.rejected_share(),
                    }
                )
        report_progress(f"fleets: {size} servers")
    return {"service_ms": statistics.mean(SERVICES_S) * 1000, "workers": WORKERS, "rows": rows}


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--json"]
    parts = {"check": check, "fleets": fleets}
    for word in words:
        if word not in parts:
            raise SystemExit(f"there is no part {word!r}: {', '.join(parts)}")
    results = {name: part() for name, part in parts.items() if name in words or not words}
    if "--json" in sys.argv:
        print(json.dumps({"machine": machine(), **results}, indent=1))
    else:
        _print(results)
    return _exit_status(results)


def _print(results: dict[str, dict[str, Any]]) -> None:
    print(machine())
    if "check" in results:
        found = results["check"]
        print(
            f"\npeak {found['peak_per_s']:.0f} requests/s; SHA-256 of a 0.24 MP JPEG takes {found['digest_ms']:.3f} ms\n"
        )
        print(
            "| load / peak | offered/s | goodput/s | simulated | rejected | simulated | wait p50 ms | simulated | p99 ms | simulated |"
        )
        print("|" + "---|" * 10)
        for row in found["rows"]:
            print(
                f"| {row['load']} | {row['offered_per_s']:.0f} | {row['goodput']:.0f} | {row['simulated_goodput']:.0f} "
                f"| {row['rejected']:.1%} | {row['simulated_rejected']:.1%} | {row['wait_p50_ms']:.1f} "
                f"| {row['simulated_wait_p50_ms']:.1f} | {row['wait_p99_ms']:.1f} | {row['simulated_wait_p99_ms']:.1f} |"
            )
    if "fleets" in results:
        found = results["fleets"]
        service = f"{found['service_ms']:.1f} ms per image"
        print(f"\nwait p99 in ms (share rejected), {found['workers']} workers per server, {service}\n")
        print("| servers | requests reach them by | " + " | ".join(f"{share:.0%}" for share in UTILISATIONS) + " |")
        print("|" + "---|" * (2 + len(UTILISATIONS)))
        for size in FLEET_SIZES:
            for policy in POLICIES:
                cells = [
                    f"{row['wait_p99_ms']:.0f}" + (f" ({row['rejected']:.1%})" if row["rejected"] else "")
                    for row in found["rows"]
                    if (row["servers"], row["policy"]) == (size, policy)
                ]
                print(f"| {size} | {policy} | " + " | ".join(cells) + " |")


def _exit_status(results: dict[str, dict[str, Any]]) -> int:
    """1 if the simulated goodput is not the measured one."""
    rows = results.get("check", {}).get("rows", [])
    wrong = [row for row in rows if abs(row["goodput"] / row["simulated_goodput"] - 1) > GOODPUT_TOLERANCE]
    for row in wrong:
        report_progress(f"at {row['load']} times the peak the simulation is off: {row}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
