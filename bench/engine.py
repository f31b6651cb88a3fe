"""Compares one inference of the network in our engine and in others. For each situation, all engines take turns in one process.

With `--before`, each situation compares our engines with those in the `libbench_engines.so` of another version instead.

usage: engine.py [--json] [--before LIBRARY] [SITUATION...]
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from native import peak_gflops
from report import machine, print_result, report_progress, table, versions
from roofline import costs

OURS = ("avx512", "avx2", "scalar")
BURN = ("flex", "ndarray")


@dataclass
class Situation:
    batch: int
    threads: int
    seconds: float
    engines: tuple[str, ...]
    pause_s: float = 0
    """Pause before each run, as for a client that sends an image now and then; without one, runs follow each other."""
    isa: str = ""
    """The newest instruction set that OpenVINO may use; empty for no limit."""


SITUATIONS = {
    "batch 1, 1 thread": Situation(1, 1, 30, ("onnxruntime", "openvino", *OURS, "tract", "rten", *BURN)),
    "batch 1, 2 threads": Situation(1, 2, 25, ("onnxruntime", "openvino", *OURS, "rten", *BURN)),
    "batch 1, 2 threads, after a pause of 50 ms": Situation(1, 2, 40, ("onnxruntime", *OURS[:2]), pause_s=0.05),
    "batch 8, 1 thread": Situation(8, 1, 30, ("onnxruntime", "openvino", *OURS[:2], "tract", "rten")),
    "batch 8, 2 threads": Situation(8, 2, 25, ("onnxruntime", "openvino", *OURS[:2], "rten")),
    "AVX2, batch 1, 1 thread": Situation(1, 1, 15, ("openvino", "avx2"), isa="AVX2"),
    "AVX2, batch 8, 2 threads": Situation(8, 2, 15, ("openvino", "avx2"), isa="AVX2"),
}
NAMES = {name: f"ours, {name}" for name in OURS} | {name: f"burn-{name}, its own operators" for name in BURN}

COLUMNS = {
    "median_ms": "median, ms",
    "p10_ms": "p10, ms",
    "median_ratio": "ratio of medians",
    "p10_ratio": "ratio of p10",
}


def measure(name: str, situation: Situation, before: Path | None) -> dict[str, dict[str, float]]:
    report_progress(f"{name} ...")
    threads = str(situation.threads)
    environment = os.environ | {"RAYON_NUM_THREADS": threads, "RTEN_NUM_THREADS": threads}
    compared = situation.engines
    if before:
        ours = [engine for engine in compared if engine in OURS]
        compared = tuple(f"{engine}{version}" for engine in ours for version in (" before", ""))
        environment["BENCH_BEFORE"] = str(before.resolve())
    if situation.isa:
        environment["ONEDNN_MAX_CPU_ISA"] = situation.isa
    script = Path(__file__).parent / "engine_rounds.py"
    arguments = [str(situation.batch), threads, str(situation.seconds), str(situation.pause_s), *compared]
    run = subprocess.run([sys.executable, script, *arguments], env=environment, check=True, stdout=subprocess.PIPE)
    engines = json.loads(run.stdout)
    # All ratios are relative to the first engine, or to the same engine of the other version.
    for engine_name, engine in engines.items():
        base = engines[f"{engine_name.removesuffix(' before')} before" if before else situation.engines[0]]
        engine |= {f"{key}_ratio": engine[f"{key}_ms"] / base[f"{key}_ms"] for key in ("median", "p10")}
    return engines


def tables(result: dict) -> str:
    parts = []
    for name, engines in result["situations"].items():
        rows = [
            [NAMES.get(engine, engine), *(f"{measured[key]:.3f}" for key in COLUMNS), str(measured["runs"])]
            for engine, measured in engines.items()
        ]
        parts.append(table([name, *COLUMNS.values(), "runs"], rows))
    roofline = result["roofline"]
    parts.append(table(["per image", ""], [[key, value] for key, value in roofline.items()]))
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--before", type=Path)
    parser.add_argument("situations", nargs="*", metavar="SITUATION")
    arguments = parser.parse_args()
    wanted = arguments.situations or list(SITUATIONS)
    result = {
        "machine": machine(),
        "versions": versions("onnxruntime", "openvino"),
        "situations": {name: measure(name, SITUATIONS[name], arguments.before) for name in wanted},
        "roofline": costs() | {f"peak_gflops_{bits}": peak_gflops(bits) for bits in (512, 256)},
    }
    print_result(result, tables(result))


if __name__ == "__main__":
    main()
