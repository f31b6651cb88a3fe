"""Engines in turn in one process, which has the number of threads and the instruction set of its environment.

usage: engine_rounds.py BATCH THREADS SECONDS ENGINE...    prints one JSON object
"""

import json
import sys
import time
from typing import Protocol

import numpy as np
import onnxruntime
import openvino
from safetensors.numpy import load_file

from native import MODEL, NativeEngine
from report import ROOT, median, p10, say

GOLDEN = ROOT / "model/tests/golden/golden.safetensors"
LOGITS_TOLERANCE = 1e-3
IN_TURN = 5
"""Runs of one engine that count before it is the next one's turn; one before them does not, it warms the caches."""
PAUSE_S = 0.06
"""Before each turn where engines have threads: onnxruntime's spin for 40 ms after a run."""
SHARE_MS = 60.0
"""An engine whose turn takes longer than this sits out rounds in proportion."""


class Engine(Protocol):
    def feed(self, pictures: np.ndarray) -> None: ...
    def run(self) -> np.ndarray: ...


class OnnxRuntime:
    def __init__(self, batch: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_free_dimension_override_by_name("batch", batch)
        self.session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def feed(self, pictures: np.ndarray) -> None:
        self.pictures = {self.input: pictures}

    def run(self) -> np.ndarray:
        return self.session.run(None, self.pictures)[0]


class OpenVino:
    """Held to f32: left alone it computes in bf16 where the machine can."""

    def __init__(self, batch: int, threads: int) -> None:
        core = openvino.Core()
        model = core.read_model(MODEL)
        model.reshape([batch, 3, 224, 224])
        self.request = core.compile_model(
            model,
            "CPU",
            {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"},
        ).create_infer_request()

    def feed(self, pictures: np.ndarray) -> None:
        self.pictures = pictures

    def run(self) -> np.ndarray:
        return self.request.infer([self.pictures], share_inputs=True, share_outputs=True)[0]


def load(name: str, batch: int, threads: int) -> Engine:
    if name == "onnxruntime":
        return OnnxRuntime(batch, threads)
    if name == "openvino":
        return OpenVino(batch, threads)
    return NativeEngine(name, batch, threads)


def agreement(engine: Engine, pictures: np.ndarray, expected: np.ndarray) -> float:
    engine.feed(pictures)
    return float(np.abs(engine.run() - expected).max())


def time_ms(engine: Engine, pictures: np.ndarray) -> float:
    engine.feed(pictures)
    begun_at = time.perf_counter()
    engine.run()
    return (time.perf_counter() - begun_at) * 1000


def main(batch: int, threads: int, seconds: float, names: list[str]) -> None:
    golden = load_file(GOLDEN)
    photographs = sorted(name.removesuffix(".lite0.input") for name in golden if name.endswith(".lite0.input"))[:batch]
    pictures = np.stack([golden[f"{name}.lite0.input"] for name in photographs])
    expected = np.stack([golden[f"{name}.lite0.logits"] for name in photographs])

    engines: dict[str, Engine] = {}
    differences: dict[str, float] = {}
    for name in names:
        try:
            engines[name] = load(name, batch, threads)
        except LookupError as error:
            say(str(error))
            continue
        differences[name] = agreement(engines[name], pictures, expected)
        if not differences[name] < LOGITS_TOLERANCE:
            raise SystemExit(f"{name} computes another network: logits differ by {differences[name]}")

    turns = {name: IN_TURN * min(time_ms(engine, pictures) for _ in range(3)) for name, engine in engines.items()}
    every = {name: max(1, round(turn / (SHARE_MS * batch))) for name, turn in turns.items()}
    times: dict[str, list[float]] = {name: [] for name in engines}
    round_number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for name, engine in engines.items():
            if round_number % every[name] == 0:
                time.sleep(PAUSE_S if threads > 1 else 0)
                time_ms(engine, pictures)
                times[name] += [time_ms(engine, pictures) for _ in range(IN_TURN)]
        round_number += 1

    result = {
        name: {
            "median_ms": median(of_one),
            "p10_ms": p10(of_one),
            "runs": len(of_one),
            "logits_differ": differences[name],
        }
        for name, of_one in times.items()
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
