"""Makes the JPEGs in scans/, of kinds that Pillow decodes but does not write, and the digests of Pillow's pixels:

    python3 -m venv venv && venv/bin/pip install pillow numpy && venv/bin/python tests/golden/make_scans.py

Where Pillow rejects a file that browsers show, the expected result is that of the file without the part that it rejects.
"""

import csv
import io
import pathlib
import struct

import numpy as np
import PIL.Image

import scans
from reference import SCALES, decode, fnv1a, test_image

HERE = pathlib.Path(__file__).parent / "scans"
YCC = ((2, 2), (1, 1), (1, 1))
ONE_EACH = [((0,),), ((1,),), ((2,),)]

ANSWERS = []


def write(name, data, like=None):
    """`like`: the bytes whose pixels are the answer, if they are not its own."""
    (HERE / f"{name}.jpg").write_bytes(data)
    for scale in SCALES:
        pixels = decode(io.BytesIO(data if like is None else like), scale)
        if pixels is not None:
            height, width, _ = pixels.shape
            ANSWERS.append([f"{name}.jpg", scale, width, height, f"{fnv1a(pixels.tobytes()):016x}"])


def planes(width, height, seed, count=3):
    rgb = test_image(width, height, seed)
    colour = {1: "L", 3: "YCbCr", 4: "CMYK"}[count]
    array = np.asarray(PIL.Image.fromarray(rgb).convert(colour))
    if count == 4:
        # Adobe's inversion, and some black.
        array = 255 - array // 2
    return [array.reshape(height, width, count)[..., c] for c in range(count)]


def samplings():
    for seed, (name, factors) in enumerate(
        {
            "444": ((1, 1), (1, 1), (1, 1)),
            "422": ((2, 1), (1, 1), (1, 1)),
            "440": ((1, 2), (1, 1), (1, 1)),
            "420": YCC,
            "411": ((4, 1), (1, 1), (1, 1)),
            "410": ((4, 2), (1, 1), (1, 1)),
            "1x4": ((1, 4), (1, 1), (1, 1)),
            "3x1": ((3, 1), (1, 1), (1, 1)),
            "chroma-wider": ((1, 1), (2, 1), (2, 1)),
            "chroma-differs": ((2, 2), (2, 1), (1, 2)),
        }.items()
    ):
        image = scans.Image(planes(45 + 3 * seed, 70 - 5 * seed, seed), factors)
        order = [ONE_EACH, ONE_EACH[1:] + ONE_EACH[:1], [((0,),), ((1, 2),)]][seed % 3]
        write(f"sequential-{name}", scans.file(image, order))
        write(f"progressive-{name}", scans.file(image, list(scans.script(3))))
    largest = scans.Image(planes(50, 40, 20), ((4, 4), (4, 4), (4, 4)))
    write("sequential-all-4x4", scans.file(largest, ONE_EACH))
    grey = scans.Image(planes(29, 37, 21, 1), ((2, 2),))
    write("progressive-grey", scans.file(grey, list(scans.script(1))))
    reordered = scans.Image(planes(50, 40, 22), YCC)
    ordered = scans.file(reordered, [((0, 1, 2),)])
    write("sequential-reordered", scans.file(reordered, [((2, 0, 1),)]), ordered)


def large_blocks():
    """Codes and values as long as they can be, in units of as many blocks as they can have."""
    image = scans.Image(planes(60, 30, 23), ((2, 2), (2, 2), (2, 1)))
    image.steps = np.full((8, 8), 4)
    image.blocks = [image.transform(plane, *factor) for plane, factor in zip(planes(60, 30, 23), image.factors)]
    write("sequential-largest-blocks", scans.largest_blocks(image))


def colours():
    image = scans.Image(planes(40, 33, 30), ((1, 1),) * 3)
    black = scans.Image(planes(40, 33, 31, 4), ((1, 1),) * 4)
    chroma = scans.Image(planes(40, 33, 32, 4), ((2, 2), (1, 1), (1, 1), (2, 2)))
    jfif = (0xE0, scans.JFIF)
    adobe = [(0xEE, scans.adobe(transform)) for transform in range(3)]
    for kind, order in {"sequential": lambda n: [(tuple(range(n)),)], "progressive": lambda n: list(scans.script(n))}.items():
        three, four = order(3), order(4)
        write(f"{kind}-ids-rgb", scans.file(image, three, (), b"RGB"))
        write(f"{kind}-ids-rgb-jfif", scans.file(image, three, (jfif,), b"RGB"))
        write(f"{kind}-ids-rgb-adobe-1", scans.file(image, three, (adobe[1],), b"RGB"))
        write(f"{kind}-adobe-0", scans.file(image, three, (adobe[0],)))
        write(f"{kind}-adobe-0-jfif", scans.file(image, three, (adobe[0], jfif)))
        write(f"{kind}-cmyk", scans.file(black, four, (adobe[0],)))
        write(f"{kind}-cmyk-no-adobe", scans.file(black, four, ()))
        write(f"{kind}-ycck", scans.file(chroma, four, (adobe[2],)))
    write("sequential-cmyk-scans", scans.file(black, [((c,),) for c in range(4)], (adobe[0],)))


def standard_tables():
    image = PIL.Image.fromarray(test_image(60, 50, 40))
    for name, options in {"no-tables": {}, "no-tables-restart": {"restart_marker_blocks": 3}}.items():
        data = io.BytesIO()
        image.save(data, "JPEG", quality=70, **options)
        data = data.getvalue()
        while (at := data.find(b"\xff\xc4")) >= 0:
            data = data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]
        write(name, data)


def markers():
    data = scans.file(scans.Image(planes(40, 33, 50), YCC), [((0, 1, 2),)])
    progressive = scans.file(scans.Image(planes(40, 33, 50), YCC), list(scans.script(3)))
    reserved = scans.segment(0xF0, b"abc") + scans.segment(0xFD, b"xyz")
    for kind, plain in {"sequential": data, "progressive": progressive}.items():
        write(f"{kind}-tem", plain[:2] + b"\xff\x01" + plain[2:], plain)
        write(f"{kind}-reserved", plain[:2] + reserved + plain[2:], plain)
        write(f"{kind}-expand", plain[:2] + scans.segment(0xDF, b"\x11") + plain[2:], plain)
        write(f"{kind}-fill", plain[:2] + b"\xff\xff\xff" + plain[2:], plain)
        at = plain.index(b"\xff\xdb")
        write(f"{kind}-junk", plain[:at] + b"junk\0" + plain[at:])
        write(f"{kind}-after-end", plain + b"and more" * 9)
        write(f"{kind}-no-end", plain[:-2], plain)
    # Of a file whose first scan contains everything, the next one is not shown.
    other = scans.file(scans.Image(planes(40, 33, 51), YCC), [((0, 1, 2),)])
    write("sequential-second-scan", data[:-2] + other[other.index(b"\xff\xda") :], data)
    # A table that no later component uses, and one that is wrong but not used.
    first = progressive.index(b"\xff\xda")
    second = progressive.index(b"\xff\xda", first + 2)
    coarse = scans.segment(0xDB, b"\0" + b"\xff" * 64)
    overfull = scans.huffman_table(1, 3, [3] + [0] * 15, [1, 2, 3])
    write("progressive-table-later", progressive[:second] + coarse + progressive[second:])
    write("progressive-wrong-table", progressive[:second] + overfull + progressive[second:])


def runs():
    """A scan of bits in which each run is longer than the band: the value comes behind it."""
    image = scans.Image(planes(40, 33, 52, 1), ((1, 1),))
    first = scans.file(image, [((0,), 0, 0, 0, 0), ((0,), 10, 63, 0, 0), ((0,), 1, 9, 0, 1)])
    header = scans.segment(0xDA, bytes([1, 1, 0, 1, 9, 1 << 4 | 0]))
    write("progressive-run-beyond-band", first[:-2] + header + scans.runs_beyond_band(image, 1, 9) + b"\xff\xd9")


def restarts():
    image = scans.Image(planes(90, 70, 60), YCC)
    one = [((0, 1, 2),)]
    for kind, order in {"sequential": one, "scans": ONE_EACH, "progressive": list(scans.script(3))}.items():
        data = scans.file(image, order, restart=4)
        write(f"{kind}-restart", data)
        for number in (0, 1, 3):
            marker = bytes([0xFF, 0xD0 | number])
            start = data.index(b"\xff\xda")
            at = data.index(marker, start)
            write(f"{kind}-restart-missing-{number}", data[:at] + data[at + 2 :])
            write(f"{kind}-restart-wrong-{number}", data[: at + 1] + bytes([0xD0 | (number + 5) % 8]) + data[at + 2 :])
            write(f"{kind}-restart-again-{number}", data[:at] + marker + data[at:])
        at = data.index(b"\xff\xd2", data.index(b"\xff\xda"))
        write(f"{kind}-restart-segment-lost", data[:at] + data[data.index(b"\xff\xd4", at) :])
        write(f"{kind}-restart-other-marker", data[:at] + b"\xff\x02" + data[at:])
        plain = scans.file(image, order)
        interval = plain.index(b"\xff\xda")
        write(f"{kind}-restart-none", plain[:interval] + scans.segment(0xDD, b"\0\x05") + plain[interval:])


def saved(pixels, **options):
    data = io.BytesIO()
    PIL.Image.fromarray(pixels).save(data, "JPEG", **options)
    return data.getvalue()


def damage():
    """Of codes as they are usual: simple ones turn damage into coefficients that no image has."""
    pixels = test_image(150, 110, 70)
    rng = np.random.default_rng(70)
    for kind, data in {
        "sequential": saved(pixels, quality=60),
        "restart": saved(pixels, quality=60, restart_marker_rows=1),
        "progressive": saved(pixels, quality=60, progressive=True),
        "scans": scans.file(scans.Image(planes(90, 70, 71), YCC), ONE_EACH),
    }.items():
        start = data.index(b"\xff\xda") + 20
        for number, share in enumerate((0.2, 0.5, 0.8)):
            at = start + int((len(data) - start) * share)
            # Not in what comes before a later scan.
            while any(marker in data[at - 99 : at + 40] for marker in (b"\xff\xda", b"\xff\xc4")):
                at += 60
            # Nor behind the first half of a marker.
            at += data[at - 1] == 0xFF
            write(f"{kind}-zeros-{number}", data[:at] + bytes(40) + data[at + 40 :])
            noise = bytes(int(byte) for byte in rng.integers(0, 255, 12))
            if kind != "scans":
                write(f"{kind}-noise-{number}", data[:at] + noise + data[at + 12 :])
                write(f"{kind}-lost-{number}", data[:at] + data[at + 7 :])
        # Of a progressive file, libjpeg would guess the details that are missing.
        if kind != "progressive":
            write(f"{kind}-end-early", data[: start + (len(data) - start) // 3] + b"\xff\xd9")
    plain = saved(pixels, quality=60)
    at = plain.index(b"\xff\0", plain.index(b"\xff\xda"))
    write("sequential-fill-in-scan", plain[:at] + b"\xff" + plain[at:], plain)


def main():
    for old in HERE.glob("*.jpg"):
        old.unlink()
    samplings()
    large_blocks()
    colours()
    standard_tables()
    markers()
    runs()
    restarts()
    damage()
    with open(HERE / "expected.csv", "w", newline="") as output:
        rows = csv.writer(output, lineterminator="\n")
        rows.writerow(["file", "scale", "width", "height", "fnv1a64"])
        rows.writerows(ANSWERS)


main()
