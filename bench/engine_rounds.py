"""Runs engines in turn in one process. Environment variables set the number of threads and the instruction set, and
BENCH_BEFORE the `libbench_engines.so` of another version: `avx512 before` is that version's engine.

usage: engine_rounds.py BATCH THREADS SECONDS PAUSE_SECONDS ENGINE...    prints one JSON object
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from native import MODEL, NativeEngine, open_library
from report import ROOT, median, p10, report_progress
from runtimes import Engine, OnnxRuntime, OpenVino

GOLDEN = ROOT / "model/tests/golden/golden.safetensors"
LOGITS_TOLERANCE = 1e-3
BEFORE = " before"
"""Ends the name of another version's engine."""
RUNS_PER_TURN = 5
"""Measured runs of one engine per turn. One run before them warms the caches and does not count."""
PAUSE_S = 0.06
"""Pause before each turn with several threads, because onnxruntime's threads spin for 40 ms after a run."""
TURN_MS = 60.0
"""Target duration of a turn. A slower engine runs only in every n-th round, so that all engines get similar time."""


def load(name: str, batch: int, threads: int) -> Engine:
    if name == "onnxruntime":
        return OnnxRuntime(MODEL, batch, threads)
    if name == "openvino":
        return OpenVino(MODEL, batch, threads)
    if name.endswith(BEFORE):
        library = open_library(Path(os.environ["BENCH_BEFORE"]))
        return NativeEngine(name.removesuffix(BEFORE), MODEL, batch, threads, library)
    return NativeEngine(name, MODEL, batch, threads)


def max_difference(engine: Engine, images: np.ndarray, expected: np.ndarray) -> float:
    engine.feed(images)
    return float(np.abs(engine.run() - expected).max())


def time_ms(engine: Engine, images: np.ndarray) -> float:
    engine.feed(images)
    started_at = time.perf_counter()
    engine.run()
    return (time.perf_counter() - started_at) * 1000


def turn_ms(engine: Engine, images: np.ndarray, threads: int, pause_s: float) -> list[float]:
    """The times of one engine's runs in its turn. With a pause, each run finds its threads asleep and its caches cold."""
    if pause_s:
        runs = []
        for _ in range(RUNS_PER_TURN):
            time.sleep(pause_s)
            runs.append(time_ms(engine, images))
        return runs
    time.sleep(PAUSE_S if threads > 1 else 0)
    time_ms(engine, images)
    return [time_ms(engine, images) for _ in range(RUNS_PER_TURN)]


def main(batch: int, threads: int, seconds: float, pause_s: float, names: list[str]) -> None:
    golden = load_file(GOLDEN)
    photographs = sorted(name.removesuffix(".lite0.input") for name in golden if name.endswith(".lite0.input"))[:batch]
    images = np.stack([golden[f"{name}.lite0.input"] for name in photographs])
    expected = np.stack([golden[f"{name}.lite0.logits"] for name in photographs])

    engines: dict[str, Engine] = {}
    differences: dict[str, float] = {}
    for name in names:
        try:
            engines[name] = load(name, batch, threads)
        except LookupError as error:
            report_progress(str(error))
            continue
        differences[name] = max_difference(engines[name], images, expected)
        if not differences[name] < LOGITS_TOLERANCE:
            raise SystemExit(f"{name} computes wrong logits: they differ by {differences[name]}")

    expected_ms = {
        name: RUNS_PER_TURN * min(time_ms(engine, images) for _ in range(3)) for name, engine in engines.items()
    }
    round_steps = {name: max(1, round(expected / (TURN_MS * batch))) for name, expected in expected_ms.items()}
    times: dict[str, list[float]] = {name: [] for name in engines}
    round_number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for name, engine in engines.items():
            if round_number % round_steps[name] == 0:
                times[name] += turn_ms(engine, images, threads, pause_s)
        round_number += 1

    result = {
        name: {
            "median_ms": median(of_engine),
            "p10_ms": p10(of_engine),
            "runs": len(of_engine),
            "logits_differ": differences[name],
        }
        for name, of_engine in times.items()
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
