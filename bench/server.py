"""Compares the server with peers that a user could write in Python and in Rust, with the same contract, model and machine.

h2load sends requests on one connection with 1, 8 or 32 in flight, and now and then a lone one, to all servers in turn in each
round. Each peer runs in two configurations, and the better one counts for each load: Python with 1 or 2 threads per request,
Rust with 2 sessions of 1 thread or 1 session of 2 threads.

usage: server.py [--json] [IMAGE...]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import photographs
from load import Workload, generate_code, load
from report import (
    PROGRAMS,
    machine,
    median,
    print_result,
    report_progress,
    table,
    versions,
)
from servers import Server, start_servers

ROUNDS = 5
LOADS: dict[str, tuple[int, int | None]] = {
    "1 in flight": (1, None),
    "8 in flight": (8, None),
    "32 in flight": (32, None),
    "1 every 70 ms": (1, 14),
}
"""Requests in flight, and requests per second where they do not follow each other."""
OVERHEAD_REQUESTS = 300
IMAGES = {"0.24 MP JPEG": photographs.coffee, "12 MP JPEG": photographs.coffee_of_12_mp}
LABEL = "espresso"
REQUESTS = {
    "0.24 MP JPEG": {"1 in flight": 80, "8 in flight": 200, "32 in flight": 240, "1 every 70 ms": 40},
    "12 MP JPEG": {"1 in flight": 15, "8 in flight": 32, "32 in flight": 64, "1 every 70 ms": 40},
}
"""Requests per load: about a second each, or three."""

UNITS = {"calls_per_s": "requests/s", "p50_ms": "p50, ms", "cpu_ms": "CPU ms per request"}


def measure(image: str, encoded: bytes, code: Path) -> dict[str, object]:
    servers = start_servers(code)
    try:
        for server in servers:
            server.wait()
        workload = Workload(encoded, LABEL)
        loads = {}
        for name, (in_flight, per_second) in LOADS.items():
            for server in servers:
                workload.check(server.address, in_flight)
            rounds: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
            for _ in range(ROUNDS):
                for server in servers:
                    measured = load(server, workload, REQUESTS[image][name], in_flight, per_second)
                    rounds[server.name].append(measured)
            loads[name] = {
                server: {key: median([one[key] for one in of_server]) for key in of_server[0]} | {"rounds": of_server}
                for server, of_server in rounds.items()
            }
            shown = "p50_ms" if per_second else "calls_per_s"
            values = (f"{server} {measured[shown]:.3g}" for server, measured in loads[name].items())
            report_progress(f"{image}, {name}, {UNITS[shown]}: {'; '.join(values)}")
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
    """Medians of single requests: the time that a native client measures, and its part outside decoding and inference."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(encoded)
        out = subprocess.run(
            [PROGRAMS / "bench-client", f"http://{server.address}", file.name, str(OVERHEAD_REQUESTS)],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    requests = [[float(ms) for ms in line.strip("[]").split(",")] for line in out.splitlines()]
    total, decode, queue, inference = (median(column) for column in zip(*requests))
    rest = median([total - decode - inference for total, decode, _, inference in requests])
    return {"seen_ms": total, "decode_ms": decode, "queue_ms": queue, "inference_ms": inference, "overhead_ms": rest}


def best(load: dict[str, dict[str, float]], peer: str, key: str) -> tuple[str, float]:
    """The better configuration of `peer`, and its value."""
    values = {name: measured[key] for name, measured in load.items() if name.startswith(peer)}
    name = (min if key.endswith("_ms") else max)(values, key=values.__getitem__)
    return name, values[name]


def tables(images: dict[str, dict]) -> str:
    rows, memory, overheads = [], [], []
    for image, measured in images.items():
        for name, of_load in measured["loads"].items():
            for key, unit in UNITS.items():
                if key == "calls_per_s" and LOADS[name][1]:
                    continue
                ours = of_load["ours"][key]
                peers = [best(of_load, peer, key) for peer in ("python", "rust")]
                cells = [f"{value:.3g} ({peer.split(', ')[1]})" for peer, value in peers]
                rows.append([f"{image}, {name}", unit, ours, *cells, *(ours / value for _, value in peers)])
        memory += [[image, name, m["now"], m["most"]] for name, m in measured["memory_mb"].items()]
        overheads.append([image, *(f"{ms:.2f}" for ms in measured["where_ours_spends"].values())])
    return "\n".join([
        table(["image, load", "", "ours", "Python", "Rust", "ours / Python", "ours / Rust"], rows),
        table(["image", "server", "resident after the run, MB", "peak, MB"], memory),
        table(["image", "client total, ms", "decode", "queue", "inference", "overhead"], overheads),
    ])  # fmt: skip


def main() -> None:
    wanted = [argument for argument in sys.argv[1:] if argument != "--json"] or list(IMAGES)
    with tempfile.TemporaryDirectory() as code:
        generate_code(Path(code))
        images = {image: measure(image, IMAGES[image](), Path(code)) for image in wanted}
    result = {
        "machine": machine(),
        "versions": versions("grpcio", "onnxruntime", "pillow"),
        "rounds": ROUNDS,
        "images": images,
    }
    print_result(result, tables(images))


if __name__ == "__main__":
    main()
