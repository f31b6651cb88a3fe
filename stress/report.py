"""The results of the scenarios: figures with their targets, as a Markdown table."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "target/stress"
"""Folder for images, logs and generated code."""
MIB = 1 << 20


@dataclass(frozen=True)
class Figure:
    """A measured value, its target, and whether it meets the target."""

    scenario: str
    what: str
    target: str
    measured: str
    ok: bool


def report_progress(text: str) -> None:
    """Prints progress to standard error, because standard output is for the result."""
    print(text, file=sys.stderr, flush=True)


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{len(os.sched_getaffinity(0))} cores of {model}, shared by server and load"


def table(figures: Sequence[Figure]) -> str:
    rows = [["scenario", "figure", "target", "measured", ""]]
    rows += [[f.scenario, f.what, f.target, f.measured, "ok" if f.ok else "MISSED"] for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of all values do not exceed; infinity if there are no values."""
    if not values:
        return float("inf")
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def counted(codes: Sequence[str]) -> str:
    """The number of each code, most frequent first."""
    kinds = sorted(set(codes), key=codes.count, reverse=True)
    return ", ".join(f"{codes.count(kind)} {kind}" for kind in kinds) or "none"
