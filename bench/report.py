"""The output of all benchmarks: Markdown tables, or one JSON object with `--json`."""

import json
import os
import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD_DIR = ROOT / "target/bench"
"""Folder for everything that `cargo xtask bench` builds or creates."""
PROGRAMS = BUILD_DIR / "cargo/release"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p10(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 10]


def machine() -> dict[str, str | int]:
    cpu = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        "unknown",
    )
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    simd = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16") if name in flags]
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "simd": " ".join(simd)}


def versions(*packages: str) -> dict[str, str]:
    return {package: version(package) for package in packages}


def report_progress(text: str) -> None:
    """Prints progress to standard error, because standard output is for the result."""
    print(text, file=sys.stderr, flush=True)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    shown = [[cell if isinstance(cell, str) else f"{cell:.3g}" for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *shown]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *shown]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |" for line in lines) + "\n"


def print_result(result: dict[str, object], tables: str) -> None:
    """Prints `result` as JSON with `--json`, and `tables` otherwise."""
    print(json.dumps(result, indent=1) if "--json" in sys.argv else tables)
