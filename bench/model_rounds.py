"""Runs engines on one network in turn, ours in a process of its own. Environment variables set the threads of those that have
no option for it.

usage: model_rounds.py MODEL.onnx IMAGE.f32 THREADS SECONDS RUNNER    prints one JSON object
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from native import NativeEngine
from report import median, p10, report_progress
from runtimes import Engine, OnnxRuntime, OpenVino

RUNS_PER_TURN = 3
"""Measured runs of one engine per turn. One run before them warms the caches and does not count."""
ROUNDS_MIN = 5
PAUSE_S = 0.06
"""Pause before each turn with several threads, because onnxruntime's threads spin for 40 ms after a run."""


class Ours:
    """Our engine in a process of its own, which runs the network when it is told to."""

    def __init__(self, model: str, image: str, threads: int, runner: str) -> None:
        command = [runner, model, image, str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"cannot run {model}")
        self.logits = np.array(line.split(), np.float32)
        share, buffers, load = self.process.stdout.readline().split()
        self.kernel_share, self.buffer_bytes, self.load_ms = float(share), int(buffers), int(load) / 1e3

    def milliseconds(self) -> float:
        self.process.stdin.write("1\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1e3

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024


def timer(engine: Engine, images: np.ndarray) -> Callable[[], float]:
    def milliseconds() -> float:
        engine.feed(images)
        begun_at = time.perf_counter()
        engine.run()
        return (time.perf_counter() - begun_at) * 1e3

    return milliseconds


def peers(model: Path, threads: int) -> dict[str, Engine]:
    """Those that can load the network. tract always has one thread."""
    load: dict[str, Callable[[], Engine]] = {
        "onnxruntime": lambda: OnnxRuntime(model, 1, threads),
        "openvino": lambda: OpenVino(model, 1, threads),
        "tract": lambda: NativeEngine("tract", model, 1, threads),
        "rten": lambda: NativeEngine("rten", model, 1, threads),
    }
    if threads > 1:
        del load["tract"]
    loaded = {}
    for name, make in load.items():
        try:
            loaded[name] = make()
        except (LookupError, RuntimeError) as error:
            report_progress(f"{name}: {error}")
    return loaded


def logits(engine: Engine, images: np.ndarray) -> np.ndarray:
    engine.feed(images)
    return np.array(engine.run()).ravel()


def main(model: str, image: str, threads: int, seconds: float, runner: str) -> None:
    images = np.fromfile(image, np.float32).reshape(1, 3, 224, 224)
    ours = Ours(model, image, threads, runner)
    engines = peers(Path(model), threads)
    for name in list(engines):
        try:
            computed = logits(engines[name], images)
        except RuntimeError as error:
            report_progress(f"{name}: {error}")
            del engines[name]
            continue
        if name == "onnxruntime":
            expected = computed

    timers = {"ours": ours.milliseconds} | {name: timer(engine, images) for name, engine in engines.items()}
    typical = {name: min(run() for _ in range(2)) for name, run in timers.items()}
    # A slower engine runs only in every n-th round, so that all get similar time.
    steps = {name: max(1, min(ROUNDS_MIN, round(one / typical["ours"]))) for name, one in typical.items()}
    times: dict[str, list[float]] = {name: [] for name in timers}
    rounds, end = 0, time.monotonic() + seconds
    while rounds < ROUNDS_MIN or time.monotonic() < end:
        for name, run in timers.items():
            if rounds % steps[name] == 0:
                time.sleep(PAUSE_S if threads > 1 else 0)
                run()
                times[name] += [run() for _ in range(RUNS_PER_TURN)]
        rounds += 1

    top = [set(np.argsort(one)[-5:].tolist()) for one in (ours.logits, expected)]
    result = {
        "difference": float(np.abs(ours.logits - expected).max() / np.abs(expected).max()),
        "same_top5": top[0] == top[1],
        "kernel_share": ours.kernel_share,
        "buffer_bytes": ours.buffer_bytes,
        "load_ms": ours.load_ms,
        "memory_ratio": ours.resident_bytes() / Path(model).stat().st_size,
        "engines": {name: {"median_ms": median(one), "p10_ms": p10(one)} for name, one in times.items()},
    }
    ours.process.stdin.close()
    ours.process.wait()
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
