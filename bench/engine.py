"""Compares one inference of the network in our engine and in others. For each situation, all engines take turns in one process.

usage: engine.py [--json] [SITUATION...]
"""

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
    isa: str = ""
    """The newest instruction set that OpenVINO may use; empty for no limit."""


SITUATIONS = {
    "batch 1, 1 thread": Situation(1, 1, 30, ("onnxruntime", "openvino", *OURS, "tract", "rten", *BURN)),
    "batch 1, 2 threads": Situation(1, 2, 25, ("onnxruntime", "openvino", *OURS, "rten", *BURN)),
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


def measure(name: str, situation: Situation) -> dict[str, dict[str, float]]:
    report_progress(f"{name} ...")
    threads = str(situation.threads)
    environment = os.environ | {"RAYON_NUM_THREADS": threads, "RTEN_NUM_THREADS": threads}
    if situation.isa:
        environment["ONEDNN_MAX_CPU_ISA"] = situation.isa
    script = Path(__file__).parent / "engine_rounds.py"
    arguments = [str(situation.batch), threads, str(situation.seconds), *situation.engines]
    run = subprocess.run([sys.executable, script, *arguments], env=environment, check=True, stdout=subprocess.PIPE)
    engines = json.loads(run.stdout)
    # All ratios are relative to the first engine.
    base = engines[situation.engines[0]]
    for engine in engines.values():
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
    wanted = [argument for argument in sys.argv[1:] if argument != "--json"] or list(SITUATIONS)
    result = {
        "machine": machine(),
        "versions": versions("onnxruntime", "openvino"),
        "situations": {name: measure(name, SITUATIONS[name]) for name in wanted},
        "roofline": costs() | {f"peak_gflops_{bits}": peak_gflops(bits) for bits in (512, 256)},
    }
    print_result(result, tables(result))


if __name__ == "__main__":
    main()
