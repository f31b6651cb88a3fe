"""Trains models of few photographs with the command line, and compares them with two other ways to train on the same features:
scikit-learn's LogisticRegression, and Frigate's recipe for custom classifiers (a hidden layer of 128 units, dropout of 0.3, 50
epochs of Adam; https://docs.frigate.video/configuration/custom_classification/object_classification).

Needs a folder `clothing` with `train` and `validation` in IMAGECLASSIFIER_OWN_CLASSES_DIR, and photographs of other things in
IMAGECLASSIFIER_EVAL_DIR.

usage: classes.py [--json] [--cli PROGRAM]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from report import ROOT, machine, print_result, report_progress, table, versions

FOLDER = Path(os.environ.get("IMAGECLASSIFIER_OWN_CLASSES_DIR", ROOT / "../shared/own-classes")) / "clothing"
OTHERS = Path(os.environ.get("IMAGECLASSIFIER_EVAL_DIR", ROOT / "../shared/eval")) / "images"
CLI = sys.argv[sys.argv.index("--cli") + 1] if "--cli" in sys.argv else str(ROOT / "target/release/imageclassifier")
SIZES = {5: 5, 20: 5, 100: 1}
"""Photographs per class, and draws. Of 100 there is only one."""
KNOWN_SIZE = 20
"""Photographs per class for the models that are to say "unknown". They know seven of the ten classes."""
UNLIKE = [["hat", "shoes", "skirt"]]
"""Classes that look like no other. Shirts and T-shirts, say, are hard to tell apart even for a model that knows both."""


class Photographs:
    """All labelled photographs of one folder, with their features scaled to length 1."""

    def __init__(self, folder: Path, work: Path, cache: Path) -> None:
        self.files = sorted(path for path in folder.glob("*/*") if path.is_file())
        self.labels = np.array([path.parent.name for path in self.files])
        self.classes = sorted(set(self.labels))
        matrix = work / f"{folder.name}.npy"
        with matrix.open("wb") as out:
            subprocess.run([CLI, "embed", "--npy", "--cache", cache, *self.files], stdout=out, check=True)
        features = np.load(matrix).astype(np.float64)
        self.features = features / np.linalg.norm(features, axis=1, keepdims=True)

    def draw(self, size: int, seed: int, classes: list[str]) -> np.ndarray:
        """Indices of `size` photographs of each class."""
        random = np.random.default_rng(seed)
        of_class = (random.permutation(np.flatnonzero(self.labels == name))[:size] for name in classes)
        return np.concatenate(list(of_class))

    def link(self, chosen: np.ndarray, folder: Path) -> Path:
        """A folder of links to the chosen photographs, one subfolder per class."""
        for index in chosen:
            path = self.files[index]
            link = folder / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
        return folder


def cli(*arguments: object) -> str:
    command = [CLI, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{command} exited with {finished.returncode}: {finished.stderr}")
    return finished.stdout


def timed_train(folder: Path, model: Path, cache: Path) -> float:
    started_at = time.monotonic()
    cli("train", folder, "-o", model, "--cache", cache)
    return time.monotonic() - started_at


def accuracy(predicted: np.ndarray, labels: np.ndarray) -> float:
    return float((predicted == labels).mean())


def expected_calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Of ten bins of equal width."""
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    return sum(abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(10)) / len(right)


def frigate(features: np.ndarray, labels: np.ndarray, classes: list[str], seed: int) -> tuple[np.ndarray, ...]:
    """Weights of Dense(128, relu), Dropout(0.3), Dense(softmax) after 50 epochs of Adam in batches of 16. NumPy stands in for
    Keras."""
    random = np.random.default_rng(seed)
    targets = np.eye(len(classes))[[classes.index(label) for label in labels]]

    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = (6 / (rows + columns)) ** 0.5
        return random.uniform(-limit, limit, (rows, columns))

    parameters = [glorot(features.shape[1], 128), np.zeros(128), glorot(128, len(classes)), np.zeros(len(classes))]
    means, squares, step = [[np.zeros_like(p) for p in parameters] for _ in range(2)] + [0]
    for _ in range(50):
        for batch in np.array_split(random.permutation(len(features)), max(1, len(features) // 16)):
            w1, b1, w2, b2 = parameters
            x, step = features[batch], step + 1
            hidden = np.maximum(x @ w1 + b1, 0) * (random.random((len(batch), 128)) >= 0.3) / 0.7
            error = (softmax(hidden @ w2 + b2) - targets[batch]) / len(batch)
            back = (error @ w2.T) * (hidden > 0) / 0.7
            gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
            for i, gradient in enumerate(gradients):
                means[i] = 0.9 * means[i] + 0.1 * gradient
                squares[i] = 0.999 * squares[i] + 0.001 * gradient**2
                rate = 1e-3 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
                parameters[i] = parameters[i] - rate * means[i] / (squares[i] ** 0.5 + 1e-7)
    return tuple(parameters)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def measure_size(size: int, train: Photographs, validation: Photographs, work: Path, cache: Path) -> dict[str, float]:
    draws = []
    for seed in range(SIZES[size]):
        chosen = train.draw(size, seed, train.classes)
        folder = train.link(chosen, work / f"{size}-{seed}")
        model = work / f"model-{size}-{seed}"
        ours_s = timed_train(folder, model, cache)
        evaluation = json.loads(cli("evaluate", model, FOLDER / "validation", "--json", "--cache", cache))["evaluation"]
        features, labels = train.features[chosen], train.labels[chosen]
        started_at = time.monotonic()
        scikit = LogisticRegression(C=30, max_iter=1000).fit(features, labels)
        scikit_s = time.monotonic() - started_at
        started_at = time.monotonic()
        w1, b1, w2, b2 = frigate(features, labels, train.classes, seed)
        frigate_s = time.monotonic() - started_at
        probabilities = softmax(np.maximum(validation.features @ w1 + b1, 0) @ w2 + b2)
        of_frigate = np.array(train.classes)[probabilities.argmax(axis=1)]
        of_scikit = scikit.predict(validation.features)
        draws.append({
            "accuracy": evaluation["accuracy"]["value"],
            "ece": evaluation["calibration"]["ece"],
            "train_s": ours_s,
            "scikit_accuracy": accuracy(of_scikit, validation.labels),
            "scikit_ece": expected_calibration_error(
                scikit.predict_proba(validation.features), of_scikit == validation.labels
            ),
            "scikit_s": scikit_s,
            "frigate_accuracy": accuracy(of_frigate, validation.labels),
            "frigate_ece": expected_calibration_error(probabilities, of_frigate == validation.labels),
            "frigate_s": frigate_s,
        })  # fmt: skip
        report_progress(f"{size} per class, draw {seed}: {draws[-1]}")
    return {key: float(np.mean([draw[key] for draw in draws])) for key in draws[0]}


def measure_unknown(
    unknown_classes: list[list[str]], train: Photographs, validation: Photographs, work: Path, cache: Path
) -> dict[str, float]:
    """Means over several choices of the classes that the model does not know."""
    draws = []
    for seed, of_choice in enumerate(unknown_classes):
        folder = work / "-".join(of_choice)
        known = [name for name in train.classes if name not in of_choice]
        chosen = train.link(train.draw(KNOWN_SIZE, seed, known), folder / "train")
        timed_train(chosen, folder / "model", cache)
        is_known = np.isin(validation.labels, known)
        kept = validation.link(np.flatnonzero(is_known), folder / "known")
        near = validation.link(np.flatnonzero(~is_known), folder / "near")
        draw = {}
        for name, unknown in (("near", near), ("far", OTHERS)):
            result = cli("evaluate", folder / "model", kept, "--unknown", unknown, "--json", "--cache", cache)
            found = json.loads(result)["unknown"]
            draw |= {f"{name}_auroc": found["auroc"], f"{name}_fpr_at_95": found["fpr_at_95"]}
            draw["known_kept"] = found["known_kept"]["value"]
        draws.append(draw)
        report_progress(f"unknown {of_choice}: {draw}")
    return {key: float(np.mean([draw[key] for draw in draws])) for key in draws[0]}


def measure_time(train: Photographs, work: Path) -> dict[str, float]:
    """The whole training of all photographs but ten with an empty cache, and again with the ten."""
    cache = work / "empty-cache"
    everything = train.draw(100, 0, train.classes)
    folder = train.link(everything[10:], work / "all")
    first_s = timed_train(folder, work / "all-model", cache)
    train.link(everything[:10], folder)
    return {
        "images": len(everything) - 10,
        "first_s": first_s,
        "ten_more_s": timed_train(folder, work / "all-model", cache),
        "nothing_new_s": timed_train(folder, work / "all-model", cache),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        cache = work / "cache"
        train, validation = (Photographs(FOLDER / part, work, cache) for part in ("train", "validation"))
        time_s = measure_time(train, work)
        report_progress(f"time: {time_s}")
        sizes = {size: measure_size(size, train, validation, work, cache) for size in SIZES}
        draws = [sorted(np.random.default_rng(seed).permutation(train.classes)[:3]) for seed in range(5)]
        unknown = {
            name: measure_unknown(of_choices, train, validation, work, cache)
            for name, of_choices in (("unlike", UNLIKE), ("any", draws))
        }
    result = {
        "machine": machine(),
        "versions": versions("numpy", "scikit-learn"),
        "time": time_s,
        "photographs_per_class": sizes,
        "unknown": unknown,
    }
    rows = [
        [f"{size}", f"{s['accuracy']:.3f}", f"{s['scikit_accuracy']:.3f}", f"{s['frigate_accuracy']:.3f}",
         f"{s['ece']:.3f}", f"{s['scikit_ece']:.3f}", f"{s['frigate_ece']:.3f}"]
        for size, s in sizes.items()
    ]  # fmt: skip
    header = ["photographs per class", "accuracy, ours", "scikit-learn", "Frigate's recipe", "ECE, ours", "scikit-learn", "Frigate's recipe"]
    tables = table(header, rows)
    unlike, any_of = unknown["unlike"], unknown["any"]
    header = ["unknown images", "AUROC", "FPR at 95 % known", "known kept"]
    tables += "\n" + table(header, [
        ["hats, shoes and skirts", *(f"{unlike[key]:.3f}" for key in ("near_auroc", "near_fpr_at_95", "known_kept"))],
        ["any three classes", *(f"{any_of[key]:.3f}" for key in ("near_auroc", "near_fpr_at_95", "known_kept"))],
        ["photographs of other things", *(f"{any_of[key]:.3f}" for key in ("far_auroc", "far_fpr_at_95", "known_kept"))],
    ])  # fmt: skip
    tables += (
        f"\n`train` on {time_s['images']} photographs: {time_s['first_s']:.1f} s; "
        f"with ten more afterwards: {time_s['ten_more_s']:.1f} s; again: {time_s['nothing_new_s']:.1f} s\n"
    )
    print_result(result, tables)


if __name__ == "__main__":
    main()
