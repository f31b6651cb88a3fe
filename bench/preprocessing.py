"""Times the preprocessing of an encoded image on one thread: ours, Pillow and OpenCV.

`agreement` then checks on labelled photographs of 12 megapixels that fast decoding gives the same top-1 as full scale.

With `--before`, the `libbench_engines.so` of another version takes turns with them.

usage: preprocessing.py [--json] [--before LIBRARY] [IMAGE... | agreement]
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import photographs
from agreement import agreement
from native import open_library, prepare
from pillow_input import SIZE
from pillow_input import prepare as prepare_with_pillow
from report import machine, median, p10, print_result, report_progress, table, versions

SECONDS = 8.0
PNG_AND_WEBP = photographs.GOLDEN / "french-alpine-landscape.jpg"


def half_megapixel(format: str, **options: object) -> bytes:
    return photographs.encoded(Image.open(PNG_AND_WEBP).convert("RGB"), format, **options)


IMAGES: dict[str, Callable[[], bytes]] = {
    "0.24 MP JPEG": photographs.coffee,
    "0.24 MP progressive JPEG": photographs.coffee_progressive,
    "0.5 MP JPEG": PNG_AND_WEBP.read_bytes,
    "12 MP JPEG": photographs.coffee_of_12_mp,
    "0.5 MP PNG": lambda: half_megapixel("PNG"),
    "0.5 MP WebP": lambda: half_megapixel("WEBP", quality=90),
}


def prepare_with_opencv(encoded: bytes, reduced: bool) -> np.ndarray:
    """Resizes with INTER_AREA, OpenCV's only antialiased filter."""
    flag = cv2.IMREAD_COLOR
    if reduced:
        # Pillow reads only the header here. OpenCV does not report the size before it decodes.
        shorter = min(Image.open(io.BytesIO(encoded)).size)
        flags = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
        flag = next((f for scale, f in flags.items() if SIZE / (SIZE + 32) * shorter / scale >= SIZE), flag)
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flag)
    height, width = image.shape[:2]
    side = int(SIZE / (SIZE + 32) * min(width, height))
    left, top = (width - side + 1) // 2, (height - side + 1) // 2
    square = cv2.resize(image[top : top + side, left : left + side], (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return ((cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.float32) - 127) / 128).transpose(2, 0, 1)[None]


WAYS: dict[str, Callable[[bytes], np.ndarray]] = {
    "ours": prepare,
    "Pillow, draft": prepare_with_pillow,
    "Pillow, full scale": lambda encoded: prepare_with_pillow(encoded, draft=False),
    "OpenCV, reduced": lambda encoded: prepare_with_opencv(encoded, reduced=True),
    "OpenCV, full scale": lambda encoded: prepare_with_opencv(encoded, reduced=False),
}


def measure(name: str) -> dict[str, object]:
    report_progress(f"{name} ...")
    encoded = IMAGES[name]()
    width, height = Image.open(io.BytesIO(encoded)).size
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for way, prepare_image in WAYS.items():
            started_at = time.perf_counter()
            prepare_image(encoded)
            times[way].append((time.perf_counter() - started_at) * 1000)
    return {
        "width": width,
        "height": height,
        "encoded_bytes": len(encoded),
        "ways": {
            way: {"median_ms": median(of_way), "p10_ms": p10(of_way), "runs": len(of_way)}
            for way, of_way in times.items()
        },
    }


def tables(result: dict) -> str:
    rows = []
    for name, measured in result["images"].items():
        ways = measured["ways"]
        size = f"{name}, {measured['width']} x {measured['height']}, {measured['encoded_bytes'] / 1e6:.2f} MB"
        rows.append([size, *(way["median_ms"] for way in ways.values())])
    parts = [table(["median, ms", *WAYS], rows)] if rows else []
    if counts := result["agreement"]:
        parts.append(f"{counts}\n")
    return "\n".join(parts)


def main() -> None:
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--before", type=Path)
    parser.add_argument("parts", nargs="*", metavar="IMAGE | agreement")
    arguments = parser.parse_args()
    if arguments.before:
        library = open_library(arguments.before.resolve())
        WAYS["before"] = lambda encoded: prepare(encoded, library=library)
    wanted = arguments.parts or [*IMAGES, "agreement"]
    result = {
        "machine": machine(),
        "versions": versions("pillow", "opencv-python-headless"),
        "images": {name: measure(name) for name in wanted if name != "agreement"},
        "agreement": agreement() if "agreement" in wanted else None,
    }
    print_result(result, tables(result))


if __name__ == "__main__":
    main()
