"""Makes the golden JPEGs and the digests of their pixels. Needs Pillow and, for the samplings that Pillow does not write,
PyTurboJPEG with libturbojpeg (1.x for libturbojpeg 2.x):

    python3 -m venv venv && venv/bin/pip install pillow numpy 'PyTurboJPEG<2' && venv/bin/python tests/golden/make.py

The decoder of the golden answers is Pillow's libjpeg-turbo, through `Image.open` and, scaled, `Image.draft`.
"""

import csv
import pathlib

import numpy as np
from PIL import Image
from turbojpeg import TJPF_RGB, TJSAMP_411, TJSAMP_440, TurboJPEG

from reference import SCALES, decode, fnv1a, test_image

HERE = pathlib.Path(__file__).parent


def write(name, pixels, **options):
    Image.fromarray(pixels).save(HERE / f"{name}.jpg", **options)


def many_blocks():
    """Enough blocks for the decoder to skip coefficients with a table, as it does at 1/8 for both files."""
    write("444-many-blocks", test_image(520, 264, 100), quality=12, subsampling=0)
    grey = np.full((264, 520), 99, np.uint8)
    # Some blocks in which no coefficient is zero.
    grey[40:104, 60:140] = (test_image(80, 64, 101)[..., 0] > 127) * 255
    grey[140:188, 300:400] = np.random.default_rng(101).integers(0, 256, (48, 100))
    write("grey-many-blocks", grey, quality=96)


def main():
    for old in HERE.glob("*.jpg"):
        old.unlink()
    sizes = [(67, 45), (64, 48), (33, 70), (17, 16), (8, 9), (3, 5), (1, 1), (100, 3)]
    for seed, (width, height) in enumerate(sizes):
        pixels = test_image(width, height, seed)
        for sampling, name in enumerate(["444", "422", "420"]):
            quality = [30, 75, 95][(seed + sampling) % 3]
            write(f"{name}-{width}x{height}-q{quality}", pixels, quality=quality, subsampling=sampling)
        write(f"grey-{width}x{height}", np.asarray(Image.fromarray(pixels).convert("L")), quality=85)
        turbo = TurboJPEG()
        for sampling, name in [(TJSAMP_440, "440"), (TJSAMP_411, "411")]:
            data = turbo.encode(pixels, quality=80, pixel_format=TJPF_RGB, jpeg_subsample=sampling)
            (HERE / f"{name}-{width}x{height}.jpg").write_bytes(data)
    pixels = test_image(121, 83, 99)
    for sampling, name in enumerate(["444", "422", "420"]):
        write(f"{name}-restart-blocks", pixels, quality=75, subsampling=sampling, restart_marker_blocks=3)
        write(f"{name}-restart-rows", pixels, quality=75, subsampling=sampling, restart_marker_rows=1)
        write(f"{name}-optimised", pixels, quality=75, subsampling=sampling, optimize=True)
    write("rgb", pixels, quality=75, subsampling=0, keep_rgb=True)
    write("extremes-420", (test_image(60, 60, 7) > 127).astype(np.uint8) * 255, quality=100, subsampling=2)
    write("extremes-444", (test_image(60, 60, 8) > 127).astype(np.uint8) * 255, quality=10, subsampling=0)
    write("grey-restart", np.asarray(Image.fromarray(pixels).convert("L")), quality=75, restart_marker_blocks=2)
    many_blocks()
    write("progressive", test_image(40, 24, 5), progressive=True)
    Image.fromarray(test_image(40, 24, 5)).convert("CMYK").save(HERE / "cmyk.jpg")

    with open(HERE / "expected.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", "scale", "width", "height", "fnv1a64"])
        for path in sorted(HERE.glob("*.jpg")):
            for scale in SCALES:
                pixels = decode(path, scale)
                if pixels is not None:
                    height, width, _ = pixels.shape
                    rows.writerow([path.name, scale, width, height, f"{fnv1a(pixels.tobytes()):016x}"])


main()
