"""What the service's layers cost: the server against its own engine behind tonic alone (bare/), one JPEG of 0.24 MP.

The load is h2load's: one connection with 1, 8 or 32 calls in flight, both servers in turn, round after round.

usage: layers.py [--json]
"""

import tempfile
from pathlib import Path

import photographs
from load import Call, generate_code, load
from report import PROGRAMS, ROOT, finish, machine, median, say, table, versions
from servers import Server

ROUNDS = 15
CALLS = {1: 150, 8: 300, 32: 320}
"""One to two seconds each, by the calls in flight."""
LABEL = "espresso"
ADDRESSES = {"ours": "127.0.0.1:50191", "bare": "127.0.0.1:50192"}


def started() -> list[Server]:
    ours, bare = ADDRESSES.values()
    server = ROOT / "target/release/imageclassifier-server"
    return [
        Server("ours", ours, [server, "--listen", ours, "--log", "warn"]),
        Server("bare", bare, [PROGRAMS / "bare", bare]),
    ]


def measure(servers: list[Server], call: Call, in_flight: int) -> dict[str, object]:
    """Medians of both, and the median of the rounds' ratios, ours over bare."""
    for server in servers:
        call.check(server.address, in_flight)
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(ROUNDS):
        # Who comes first has the cooler processor.
        order = servers if number % 2 else servers[::-1]
        rounds.append({server.name: load(server, call, CALLS[in_flight], in_flight) for server in order})
    keys = rounds[0]["ours"]
    medians = {name: {key: median([one[name][key] for one in rounds]) for key in keys} for name in ADDRESSES}
    ratios = {key: median([one["ours"][key] / one["bare"][key] for one in rounds]) for key in keys}
    say(f"{in_flight} in flight: ours / bare {ratios}")
    return medians | {"ratios": ratios, "rounds": rounds}


def tables(loads: dict[int, dict]) -> str:
    units = {"calls_per_s": "calls/s", "p50_ms": "p50, ms", "cpu_ms": "CPU ms a call"}
    rows = [
        [str(in_flight), unit, load["ours"][key], load["bare"][key], load["ratios"][key]]
        for in_flight, load in loads.items()
        for key, unit in units.items()
    ]
    return table(["in flight", "", "ours", "bare", "ours / bare"], rows)


def main() -> None:
    servers = started()
    try:
        for server in servers:
            server.wait()
        with tempfile.TemporaryDirectory() as code:
            generate_code(Path(code))
            call = Call(photographs.coffee(), LABEL)
            loads = {in_flight: measure(servers, call, in_flight) for in_flight in CALLS}
    finally:
        for server in servers:
            server.stop()
    result = {"machine": machine(), "versions": versions("grpcio"), "rounds": ROUNDS, "loads": loads}
    finish(result, tables(loads))


if __name__ == "__main__":
    main()
