"""Compares the top-1 of images that are decoded as in the server with their top-1 at full scale."""

import os
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from native import MODEL, prepare
from photographs import jpeg_of_12_mp
from pillow_input import prepare as prepare_with_pillow
from report import ROOT, report_progress

FOLDER = Path(os.environ.get("IMAGECLASSIFIER_EVAL_DIR", ROOT / "../shared/eval"))
WAYS = ("ours", "ours at full scale", "Pillow at full scale")


@cache
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


def top1(inputs: list[np.ndarray]) -> list[int]:
    return [int(session().run(None, {"images": input})[0].argmax()) for input in inputs]


def channels_first(input: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(input.transpose(2, 0, 1)[None])


def top1_each_way(photograph: Path, mirrored: bool) -> list[int]:
    image = Image.open(photograph).convert("RGB")
    encoded = jpeg_of_12_mp(ImageOps.mirror(image) if mirrored else image)
    return top1([
        channels_first(prepare(encoded)),
        channels_first(prepare(encoded, full_scale=True)),
        np.ascontiguousarray(prepare_with_pillow(encoded, draft=False)),
    ])  # fmt: skip


def agreement() -> dict[str, int] | None:
    """For each way of decoding: the number of photographs with the right label, and with the same top-1 as ours. Each
    photograph counts twice, once mirrored. `None` without a folder of labelled photographs."""
    table = FOLDER / "expected.csv"
    if not table.exists():
        report_progress(f"no labelled photographs in {FOLDER} (IMAGECLASSIFIER_EVAL_DIR): agreement not measured")
        return None
    rows = 2 * [line.split(",") for line in table.read_text().splitlines()[1:]]
    report_progress(f"agreement on {len(rows)} photographs ...")
    files = [FOLDER / "images" / row[0] for row in rows]
    mirrored = [at >= len(rows) // 2 for at in range(len(rows))]
    with ProcessPoolExecutor() as pool:
        classes = list(pool.map(top1_each_way, files, mirrored, chunksize=4))
    result = {"photographs": len(rows)}
    for way, of_way in zip(WAYS, zip(*classes)):
        result[f"{way}: right"] = sum(index == int(row[1]) for index, row in zip(of_way, rows))
        if way != WAYS[0]:
            result[f"ours as {way}"] = sum(index == of_photograph[0] for index, of_photograph in zip(of_way, classes))
    return result
