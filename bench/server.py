"""The server against what a user would write instead, in Python and in Rust: the same contract, model and machine.

The load is h2load's: one connection with 1, 8 or 32 calls in flight, the servers in turn, round after round. Each peer
runs in two configurations, and for each load the better one counts: Python with 1 or 2 threads a call, Rust with 2
sessions of 1 thread or 1 session of 2 threads.

usage: server.py [--json] [PICTURE...]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import photographs
from load import Call, generate_code, load
from report import PROGRAMS, finish, machine, median, say, table, versions
from servers import Server, contenders

ROUNDS = 5
IN_FLIGHT = (1, 8, 32)
OVERHEAD_CALLS = 300
PICTURES = {"0.24 MP JPEG": photographs.coffee, "12 MP JPEG": photographs.coffee_of_12_mp}
LABEL = "espresso"
CALLS = {
    "0.24 MP JPEG": {1: 80, 8: 200, 32: 240},
    "12 MP JPEG": {1: 15, 8: 32, 32: 64},
}
"""About a second each, and several times what is in flight."""

UNITS = {"calls_per_s": "calls/s", "p50_ms": "p50, ms", "cpu_ms": "CPU ms a call"}


def measure(picture: str, encoded: bytes, code: Path) -> dict[str, object]:
    servers = contenders(code)
    try:
        for server in servers:
            server.wait()
        call = Call(encoded, LABEL)
        loads = {}
        for in_flight in IN_FLIGHT:
            for server in servers:
                call.check(server.address, in_flight)
            rounds: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
            for _ in range(ROUNDS):
                for server in servers:
                    rounds[server.name].append(load(server, call, CALLS[picture][in_flight], in_flight))
            loads[in_flight] = {
                name: {key: median([found[key] for found in of_one]) for key in of_one[0]} | {"rounds": of_one}
                for name, of_one in rounds.items()
            }
            rates = (f"{name} {found['calls_per_s']:.0f}/s" for name, found in loads[in_flight].items())
            say(f"{picture}, {in_flight} in flight: {'; '.join(rates)}")
        return {
            "encoded_bytes": len(encoded),
            "loads": loads,
            "memory_mb": {server.name: server.memory_mb() for server in servers},
            "where_ours_spends": overhead(servers[0], encoded),
        }
    finally:
        for server in servers:
            server.stop()


def overhead(server: Server, encoded: bytes) -> dict[str, float]:
    """Medians over calls, one at a time: what a native client sees, and what of it is neither decoding nor network."""
    with tempfile.NamedTemporaryFile() as picture:
        Path(picture.name).write_bytes(encoded)
        out = subprocess.run(
            [PROGRAMS / "bench-client", f"http://{server.address}", picture.name, str(OVERHEAD_CALLS)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    calls = [[float(ms) for ms in line.strip("[]").split(",")] for line in out.splitlines()]
    seen, decode, queue, inference = (median(column) for column in zip(*calls))
    rest = median([seen - decode - inference for seen, decode, _, inference in calls])
    return {"seen_ms": seen, "decode_ms": decode, "queue_ms": queue, "inference_ms": inference, "overhead_ms": rest}


def best(load: dict[str, dict[str, float]], peer: str, key: str) -> tuple[str, float]:
    """The better configuration of `peer`, and what it reached."""
    found = {name: values[key] for name, values in load.items() if name.startswith(peer)}
    name = (min if key.endswith("_ms") else max)(found, key=found.__getitem__)
    return name, found[name]


def tables(pictures: dict[str, dict]) -> str:
    rows, memory, overheads = [], [], []
    for picture, measured in pictures.items():
        for in_flight, of_load in measured["loads"].items():
            for key, unit in UNITS.items():
                ours = of_load["ours"][key]
                peers = [best(of_load, peer, key) for peer in ("python", "rust")]
                shown = [f"{value:.3g} ({name.split(', ')[1]})" for name, value in peers]
                rows.append([f"{picture}, {in_flight}", unit, ours, *shown, *(ours / value for _, value in peers)])
        memory += [[picture, name, m["now"], m["most"]] for name, m in measured["memory_mb"].items()]
        overheads.append([picture, *(f"{ms:.2f}" for ms in measured["where_ours_spends"].values())])
    return "\n".join([
        table(["picture, in flight", "", "ours", "Python", "Rust", "ours / Python", "ours / Rust"], rows),
        table(["picture", "server", "resident after the run, MB", "most, MB"], memory),
        table(["picture", "client sees, ms", "decode", "queue", "inference", "overhead"], overheads),
    ])  # fmt: skip


def main() -> None:
    wanted = [argument for argument in sys.argv[1:] if argument != "--json"] or list(PICTURES)
    with tempfile.TemporaryDirectory() as code:
        generate_code(Path(code))
        pictures = {picture: measure(picture, PICTURES[picture](), Path(code)) for picture in wanted}
    result = {
        "machine": machine(),
        "versions": versions("grpcio", "onnxruntime", "pillow"),
        "rounds": ROUNDS,
        "pictures": pictures,
    }
    finish(result, tables(pictures))


if __name__ == "__main__":
    main()
