"""Measures the cost of the service's layers: compares the server with the same engine behind plain tonic (bare/), or
with the server of another version.

h2load sends a JPEG of 0.24 MP on one connection with 1, 8 or 32 requests in flight, to both servers in turn in each round.

usage: layers.py [--json] [--before SERVER]
"""

import argparse
import tempfile
from pathlib import Path

import photographs
from load import Workload, generate_code, load
from report import (
    PROGRAMS,
    ROOT,
    machine,
    median,
    print_result,
    report_progress,
    table,
    versions,
)
from servers import Server

ROUNDS = 15
REQUESTS = {1: 150, 8: 300, 32: 320}
"""Requests per load, by the number in flight: one to two seconds each."""
LABEL = "espresso"
ADDRESSES = ["127.0.0.1:50191", "127.0.0.1:50192"]


def start_servers(before: Path | None) -> list[Server]:
    """Ours, and the one to compare it with."""

    def product(name: str, program: Path, address: str) -> Server:
        return Server(name, address, [program, "--listen", address, "--log", "warn"])

    first, second = ADDRESSES
    ours = product("ours", ROOT / "target/release/imageclassifier-server", first)
    other = product("before", before, second) if before else Server("bare", second, [PROGRAMS / "bare", second])
    return [ours, other]


def measure(servers: list[Server], workload: Workload, in_flight: int) -> dict[str, object]:
    """Medians of both servers, and the median of the rounds' ratios, ours over the other's."""
    for server in servers:
        workload.check(server.address, in_flight)
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(ROUNDS):
        # Alternates the order, because the first server runs on a cooler CPU.
        order = servers if number % 2 else servers[::-1]
        rounds.append({server.name: load(server, workload, REQUESTS[in_flight], in_flight) for server in order})
    ours, other = (server.name for server in servers)
    keys = rounds[0][ours]
    medians = {name: {key: median([one[name][key] for one in rounds]) for key in keys} for name in (ours, other)}
    ratios = {key: median([one[ours][key] / one[other][key] for one in rounds]) for key in keys}
    report_progress(f"{in_flight} in flight: {ours} / {other} {ratios}")
    return medians | {"ratios": ratios, "rounds": rounds}


def tables(loads: dict[int, dict], other: str) -> str:
    units = {"calls_per_s": "requests/s", "p50_ms": "p50, ms", "cpu_ms": "CPU ms per request"}
    rows = [
        [str(in_flight), unit, load["ours"][key], load[other][key], load["ratios"][key]]
        for in_flight, load in loads.items()
        for key, unit in units.items()
    ]
    return table(["in flight", "", "ours", other, f"ours / {other}"], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--before", type=Path)
    servers = start_servers(parser.parse_args().before)
    try:
        for server in servers:
            server.wait()
        with tempfile.TemporaryDirectory() as code:
            generate_code(Path(code))
            workload = Workload(photographs.coffee(), LABEL)
            loads = {in_flight: measure(servers, workload, in_flight) for in_flight in REQUESTS}
    finally:
        for server in servers:
            server.stop()
    result = {"machine": machine(), "versions": versions("grpcio"), "rounds": ROUNDS, "loads": loads}
    print_result(result, tables(loads, servers[1].name))


if __name__ == "__main__":
    main()
