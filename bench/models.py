"""Image classifiers of other families: our engine and others on the same ONNX files, in turn.

The files are exported from torchvision with random weights, scaled so that activations neither vanish nor explode. `difference`
is the largest absolute difference of a logit, over onnxruntime's largest absolute logit. `memory` is that of a process that has run the network, over
the size of its file. With `--profile`, prints the time of each step of ours instead.

usage: models.py [--json] [--threads 1,2] [--seconds 10] [--profile] [NETWORK...]
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from report import BUILD_DIR, PROGRAMS, machine, print_result, report_progress, table, versions

MODELS = BUILD_DIR / "models-2"
"""The number counts the changes of export_models.py: files that are there are not exported again."""
RUNNER = PROGRAMS / "examples/run_model"
# Debian's Python has torchvision; the benchmark's own environment has not.
EXPORTER = "/usr/bin/python3"

NAMES = [
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "mnasnet1_0",
    "efficientnet_b0",
    "efficientnet_b2",
    "efficientnet_v2_s",
    "resnet18",
    "resnet34",
    "resnet50",
    "regnet_y_400mf",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "densenet121",
    "googlenet",
    "vgg16",
    "convnext_tiny",
    "deit_s",
    "vit_b_16",
    "swin_t",
]
PEERS = ("openvino", "tract", "rten")
COLUMNS = [
    "network",
    "threads",
    "ours, ms",
    "onnxruntime, ms",
    "ours / onnxruntime",
    "of p10",
    *(f"{peer} / onnxruntime" for peer in PEERS),
    "difference",
    "top five",
    "fused",
    "load, ms",
    "memory",
]


def measure(name: str, threads: int, options: argparse.Namespace) -> dict | None:
    report_progress(f"{name}, {threads} threads ...")
    environment = os.environ | {"RTEN_NUM_THREADS": str(threads)}
    script = Path(__file__).parent / "model_rounds.py"
    arguments = [MODELS / f"{name}.onnx", MODELS / "image.f32", str(threads), str(options.seconds), RUNNER]
    run = subprocess.run([sys.executable, script, *arguments], env=environment, stdout=subprocess.PIPE)
    if run.returncode:
        report_progress(f"{name} cannot be measured")
        return None
    return {"network": name, "threads": threads} | json.loads(run.stdout)


def row(measured: dict) -> list[object]:
    engines = measured["engines"]
    ours, base = engines["ours"], engines["onnxruntime"]
    ratios = [engines[peer]["median_ms"] / base["median_ms"] if peer in engines else "" for peer in PEERS]
    return [
        measured["network"],
        str(measured["threads"]),
        ours["median_ms"],
        base["median_ms"],
        ours["median_ms"] / base["median_ms"],
        ours["p10_ms"] / base["p10_ms"],
        *ratios,
        f"{measured['difference']:.1e}",
        "same" if measured["same_top5"] else "DIFFERENT",
        f"{measured['kernel_share']:.1%}",
        f"{measured['load_ms']:.0f}",
        f"{measured['memory_ratio']:.2f}",
    ]


def prepare(names: list[str]) -> None:
    """Exports the networks that are not there yet, and writes the image."""
    MODELS.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not (MODELS / f"{name}.onnx").exists()]
    if missing:
        script = Path(__file__).parent / "export_models.py"
        subprocess.run([EXPORTER, script, MODELS, *missing], check=True, stdout=sys.stderr)
    image = np.random.default_rng(0).random((1, 3, 224, 224), np.float32) * 2 - 1
    image.astype(np.float32).tofile(MODELS / "image.f32")


def profile(name: str) -> str:
    command = [RUNNER, MODELS / f"{name}.onnx", MODELS / "image.f32", "1"]
    return subprocess.run(command, input="profile\n", text=True, check=True, stdout=subprocess.PIPE).stdout


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NETWORK")
    options = parser.parse_args()
    names = options.names or NAMES
    prepare(names)
    if options.profile:
        for name in names:
            print(profile(name))
        return
    threads = [int(count) for count in options.threads.split(",")]
    attempted = (measure(name, count, options) for name in names for count in threads)
    measured = [one for one in attempted if one]
    result = {"machine": machine(), "versions": versions("onnxruntime", "openvino"), "networks": measured}
    print_result(result, table(COLUMNS, [row(one) for one in measured]))
    if len(measured) < len(names) * len(threads):
        sys.exit("some networks could not be measured; see above")


if __name__ == "__main__":
    main()
