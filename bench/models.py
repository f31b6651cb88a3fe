"""Image classifiers of other families: our engine against onnxruntime on the same ONNX files, interleaved.

    cargo xtask bench models [NAME…] [--threads 1,2] [--rounds 30] [--profile NAME]

The files are exported from torchvision with random weights, scaled so that activations neither vanish nor explode. Prints for
each network the largest difference of the logits over the largest logit, whether the five largest agree, the medians of both
in milliseconds, and their ratio.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "target/bench"
MODELS = BUILT / "models"
RUNNER = BUILT / "cargo/release/examples/run_model"
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
    "vit_b_16",
    "swin_t",
]


class Ours:
    """The engine in a process of its own, which runs when it is told to."""

    def __init__(self, file, tensor, threads, runner):
        command = [str(runner), str(file), str(tensor), str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"cannot run {file}")
        self.logits = np.array(line.split(), np.float32)
        share, memory, load = self.process.stdout.readline().split()
        self.share, self.memory, self.load_ms = float(share), int(memory), int(load) / 1e3

    def milliseconds(self):
        self.process.stdin.write("1\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()) / 1e3

    def profile(self):
        text, _ = self.process.communicate("profile\n")
        return text

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Theirs:
    def __init__(self, file, image, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.image = {self.session.get_inputs()[0].name: image}
        [self.logits] = self.session.run(None, self.image)

    def milliseconds(self):
        begun_at = time.perf_counter()
        self.session.run(None, self.image)
        return (time.perf_counter() - begun_at) * 1e3


def measure(file, name, threads, options, tensor, image):
    ours, theirs = Ours(file, tensor, threads, options.runner), Theirs(file, image, threads)
    expected = theirs.logits.ravel()
    difference = np.abs(ours.logits - expected).max() / np.abs(expected).max()
    top = [set(np.argsort(it)[-5:]) for it in (ours.logits, expected)]
    for it in (ours, theirs):
        it.milliseconds()
    times = np.array([[ours.milliseconds(), theirs.milliseconds()] for _ in range(options.rounds)])
    # Of each round, so that what slows both slows neither.
    ratio = np.median(times[:, 0] / times[:, 1])
    low = times.min(axis=0)
    medians = np.median(times, axis=0)
    same = "same" if top[0] == top[1] else "DIFFERENT"
    print(
        f"{name:20} {threads} {difference:9.1e} {same:9} {medians[0]:8.2f} {medians[1]:8.2f} {ratio:6.2f} "
        f"{low[0] / low[1]:6.2f} {ours.share * 100:6.1f} {ours.memory / 1e6:6.1f} {ours.load_ms:7.0f}",
        flush=True,
    )
    ours.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--runner", type=Path, default=RUNNER)
    options = parser.parse_args()
    options.models.mkdir(parents=True, exist_ok=True)
    missing = [name for name in options.names if not (options.models / f"{name}.onnx").exists()]
    if missing:
        subprocess.run([EXPORTER, str(ROOT / "bench/export_models.py"), str(options.models), *missing], check=True)
    image = (np.random.default_rng(0).random((1, 3, 224, 224), np.float32) * 2 - 1).astype(np.float32)
    tensor = options.models / "image.f32"
    tensor.write_bytes(image.tobytes())
    if options.profile:
        for name in options.names:
            print(Ours(options.models / f"{name}.onnx", tensor, 1, options.runner).profile())
        return
    print("network              t difference top five   ours ms  ort ms  ratio  best kernels% MB    load ms")
    for name in options.names:
        for threads in options.threads.split(","):
            try:
                measure(options.models / f"{name}.onnx", name, int(threads), options, tensor, image)
            except RuntimeError as error:
                print(f"{name:20} {error}")


if __name__ == "__main__":
    sys.exit(main())
