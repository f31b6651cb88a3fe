"""Whether pictures that are decoded as the server decodes them get the same top-1 as at full scale."""

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
from report import ROOT, say

FOLDER = Path(os.environ.get("IMAGECLASSIFIER_EVAL_DIR", ROOT / "../shared/eval"))
WAYS = ("ours", "ours at full scale", "Pillow at full scale")


@cache
def session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])


def top1(pictures: list[np.ndarray]) -> list[int]:
    return [int(session().run(None, {"pictures": picture})[0].argmax()) for picture in pictures]


def channels_first(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


def top1_each_way(photograph: Path, mirrored: bool) -> list[int]:
    picture = Image.open(photograph).convert("RGB")
    encoded = jpeg_of_12_mp(ImageOps.mirror(picture) if mirrored else picture)
    return top1([
        channels_first(prepare(encoded)),
        channels_first(prepare(encoded, full_scale=True)),
        np.ascontiguousarray(prepare_with_pillow(encoded, draft=False)),
    ])  # fmt: skip


def agreement() -> dict[str, int] | None:
    """How many photographs there are, each as it is and mirrored, and on how many each way has the same top-1 as ours; and
    on how many the label is theirs."""
    table = FOLDER / "expected.csv"
    if not table.exists():
        say(f"no labelled photographs in {FOLDER} (IMAGECLASSIFIER_EVAL_DIR): agreement not measured")
        return None
    rows = 2 * [line.split(",") for line in table.read_text().splitlines()[1:]]
    say(f"agreement on {len(rows)} photographs ...")
    files = [FOLDER / "images" / row[0] for row in rows]
    mirrored = [at >= len(rows) // 2 for at in range(len(rows))]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(top1_each_way, files, mirrored, chunksize=4))
    result = {"photographs": len(rows)}
    for way, answers in zip(WAYS, zip(*found)):
        result[f"{way}: right"] = sum(answer == int(row[1]) for answer, row in zip(answers, rows))
        if way != WAYS[0]:
            result[f"ours as {way}"] = sum(answer == of_ours[0] for answer, of_ours in zip(answers, found))
    return result
