"""Rarer dialects for `formats.py`, whose docstring says what the names mean: fields that most writers leave alone, data in an
unusual order, and damage to single fields."""

import struct
import zlib

from PIL import Image

from format_writers import (
    HOLE,
    QOI_END,
    ROWS,
    SIZE,
    bgr0,
    bmp,
    bmp_rows,
    encoded,
    exif,
    icon,
    info_header,
    is_hole,
    lzw,
    png,
    png_chunk,
    png_rows,
    pack,
    qoi,
    riff,
    runs,
    scanlines,
    tiff,
    tiff_tags,
    tiles,
)

COLOURS = 32
"""Of palettes that are shorter than the largest index."""
MASKS = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def soft():
    """Neighbours differ by -2 to 1 in each channel."""
    image = Image.new("RGB", SIZE)
    pixel, pixels = (128, 128, 128), []
    for at in range(SIZE[0] * SIZE[1]):
        changes = (at * 7 // 4, at * 11 // 16, at // 5 + at % 3)
        pixel = tuple((value + change % 4 - 2) % 256 for value, change in zip(pixel, changes))
        pixels.append(pixel)
    image.putdata(pixels)
    return image


def pale(image):
    """A fifth of the colour, the rest white: alpha of 51 gives these pixels without rounding."""
    return image.point(lambda v: 204 + v // 5)


def with_holes(image):
    """RGBA, transparent where source-holes.png is white, and with a colour there."""
    alpha = Image.new("L", SIZE)
    alpha.putdata([0 if is_hole(at % SIZE[0], at // SIZE[0]) else 255 for at in range(SIZE[0] * SIZE[1])])
    rgba = image.convert("RGBA")
    rgba.putalpha(alpha)
    return rgba


def upwards(rgba):
    """BGRA, from the bottom."""
    raw = rgba.tobytes("raw", "BGRA")
    return b"".join(raw[at : at + 4 * SIZE[0]] for at in range(0, len(raw), 4 * SIZE[0])[::-1])


def pngs(few):
    data = zlib.compress(scanlines(png_rows(few)))
    palette = bytes(few.getpalette()[:768]).ljust(768, b"\0")
    colours = png_chunk(b"PLTE", palette)
    other = png_chunk(b"PLTE", palette[::-1])
    turned = png_chunk(b"eXIf", exif(6))
    yield "few-chunk-after-end.png", png(data, colour=3, before=colours) + turned
    yield "few-three-palettes.png", png(data, colour=3, before=png_chunk(b"PLTE", b"\1\2") + colours + other)
    yield "dark-short-palette.png", png(data, colour=3, before=png_chunk(b"PLTE", palette[: 3 * COLOURS]))
    transparent = png_chunk(b"tRNS", b"\xff" * HOLE + b"\0")
    rows = [
        bytes(HOLE if is_hole(x, y) else value for x, value in enumerate(row)) for y, row in enumerate(png_rows(few))
    ]
    yield "holes-palette.png", png(zlib.compress(scanlines(rows)), colour=3, before=colours + transparent)
    yield "rejected-no-palette.png", png(data, colour=3)
    header = struct.pack(">IIBBBBB", *SIZE, 8, 3, 0, 0, 0)
    yield "rejected-two-headers.png", png(data, colour=3, before=png_chunk(b"IHDR", header) + colours)


def gifs(few):
    size = struct.pack("<HH", *SIZE)
    palette = bytes(few.getpalette()[:768]).ljust(768, b"\0")
    head = b"GIF89a" + size + b"\xf7\0\0" + palette
    frame = b",\0\0\0\0" + size + b"\0"
    data = lzw(few.tobytes()) + b";"
    yield "few-frame-without-width.gif", head + b",\0\0\0\0\0\0" + size[2:] + b"\0" + data
    yield "few-frame-without-height.gif", head + b",\0\0\0\0" + size[:2] + b"\0\0\0" + data
    short = b"GIF89a" + size + b"\xf4\0\0" + palette[: 3 * COLOURS]
    yield "dark-short-palette.gif", short + frame + data
    yield "rejected-end-before-frame.gif", head + b";" + frame + data


def run_lines(few):
    """Lines of run lengths from the bottom, without their ends."""
    return [runs(few.crop((0, y, SIZE[0], y + 1)), 8)[:-4] for y in reversed(range(SIZE[1]))]


def bmps(image, few):
    width, height = SIZE
    indices = b"".join(bmp_rows(few, 8))
    palette = bgr0(few)
    transparent = upwards(with_holes(few))
    core = info_header(bits=32, compression=3, size=108)
    yield "holes-bitfields-v4.bmp", bmp(core[:40] + MASKS + core[56:], transparent)
    opaque = upwards(image.convert("RGBA"))
    yield "same-bitfields-v2.bmp", bmp(info_header(bits=32, compression=3, size=52)[:40] + MASKS[:12], opaque)
    yield "few-gap.bmp", bmp(info_header(bits=8), indices, palette + b"\x7f" * 16)
    file = bmp(info_header(bits=8), indices, palette)
    yield "few-offset-at-end.bmp", file[:10] + struct.pack("<I", len(file)) + file[14:]
    yield "dark-short-palette.bmp", bmp(info_header(bits=8, colours=COLOURS), indices, palette[: 4 * COLOURS])
    odd = bmp_rows(image.crop((0, 0, 39, 30)))[::-1]
    yield f"odd-top-{ROWS}-no-last-padding.bmp", bmp(info_header(width=39, height=-height), b"".join(odd[:ROWS]))[:-3]
    lines = run_lines(few)
    coded = info_header(bits=8, compression=1)
    end = b"\0\0"
    long = b"".join(line + b"\1\0" + end for line in lines) + b"\5\0"
    yield "few-rle8-longer.bmp", bmp(coded, long, palette)
    jumps = b"".join(
        end if x == width else b"\0\2\1\0" if is_hole(x, y) else bytes([1, few.getpixel((x, y))])
        for y in reversed(range(height))
        for x in range(width + 1)
    )
    yield "holes-rle8-jumps.bmp", bmp(coded, jumps, palette)
    upper = b"".join(line + end for line in lines[height - ROWS :])
    yield f"few-top-{ROWS}-rle8-jump.bmp", bmp(coded, bytes([0, 2, 0, height - ROWS]) + upper, palette)
    lower = b"".join(line + end for line in lines[:ROWS])
    yield f"few-bottom-{ROWS}-rle8-cut-in-row.bmp", bmp(coded, lower + lines[ROWS][:-4], palette)
    tiny = b"\4\1\2\3\0\0" * 3 + b"\0\1"
    yield "rejected-jpeg.bmp", bmp(info_header(4, 3, bits=0, compression=4), tiny)
    yield "rejected-os2-huffman.bmp", bmp(info_header(4, 3, bits=32, compression=3, size=64), MASKS + bytes(48))


def icons(image, few):
    width, height = SIZE
    mask = b"\0" * (8 * height)
    yield "holes-bmp-32.ico", icon([(*SIZE, 32, info_header(height=2 * height, bits=32) + upwards(with_holes(few)) + mask)])
    yield "few-without-mask.ico", icon([(*SIZE, 8, info_header(bits=8) + bgr0(few) + b"".join(bmp_rows(few, 8)))])
    file = encoded(image, "PNG")
    yield "same-entry-at-end.ico", icon([(*SIZE, 32, file), (64, 64, 32, b"")])
    yield "same-largest-area.ico", icon([(64, 16, 32, encoded(image.resize((64, 16)), "PNG")), (*SIZE, 32, file)])


def webps(image):
    lossless = encoded(image, "WEBP", lossless=True, exact=True)
    data = lossless[20 : 20 + struct.unpack("<I", lossless[16:20])[0]]
    size = struct.pack("<I", SIZE[0] - 1)[:3] + struct.pack("<I", SIZE[1] - 1)[:3]
    extended = b"VP8X", bytes(4) + size
    whole = riff(extended, (b"VP8L", data))
    yield "cut-frame-head.webp", whole[: whole.index(b"VP8L") + 8 + 2]
    yield "rejected-frame-head.webp", riff(extended, (b"VP8L", b"\x2e" + data[1:]))
    yield "rejected-short-frame.webp", riff((b"VP8L", data[: len(data) // 2]))
    large = detailed()
    alpha = Image.new("L", large.size)
    alpha.putdata([255 - (x + y) % 2 for y in range(large.height) for x in range(large.width)])
    large.putalpha(alpha)
    yield "long-alpha-lossless.webp", encoded(large, "WEBP", lossless=True, exact=True)


def detailed():
    """Large enough for a cut to be in the middle of a frame's data."""
    width, height = 80, 60
    image = Image.new("RGB", (width, height))
    image.putdata(
        [(x * y % 251, x * 7 % 256 ^ y, (x * x + y * y) // 3 % 256) for y in range(height) for x in range(width)]
    )
    return image


def webp_chunks(file):
    """The chunks' contents, by name. An extended file has the header as well."""
    contents, at = {}, 12
    while at < len(file):
        name, length = struct.unpack("<4sI", file[at : at + 8])
        contents[name] = file[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return contents


def three_bytes(*numbers):
    return b"".join(struct.pack("<I", number)[:3] for number in numbers)


def webp_frames(image, grey, few):
    """Extended files: transparency of lossy images, animations, Exif."""
    width, height = SIZE
    black = Image.new("RGB", SIZE)
    alpha = grey.point(lambda v: 0 if v > 99 else 255)
    black.putalpha(alpha)
    # At this quality black remains black.
    file = encoded(black, "WEBP", quality=100)
    chunks = webp_chunks(file)
    compressed, lossy = chunks[b"ALPH"], chunks[b"VP8 "]
    # Of odd length, in contrast to the compressed one.
    plain = b"\0" + alpha.tobytes()

    def header(flags, size=SIZE):
        return b"VP8X", bytes([flags, 0, 0, 0]) + three_bytes(size[0] - 1, size[1] - 1)

    def frame(*chunks, size=SIZE, at=(0, 0), flags=0):
        place = three_bytes(at[0] // 2, at[1] // 2, size[0] - 1, size[1] - 1)
        return b"ANMF", place + three_bytes(50) + bytes([flags]) + riff(*chunks)[12:]

    def animation(*frames, size=SIZE):
        return riff(header(0x12, size), (b"ANIM", bytes(6)), *frames)

    def lossless(picture):
        return b"VP8L", webp_chunks(encoded(picture, "WEBP", lossless=True, exact=True))[b"VP8L"]

    other = frame(lossless(image))
    yield "bits-alpha.webp", file
    yield "bits-frame-alpha.webp", animation(frame((b"ALPH", compressed), (b"VP8 ", lossy)), other)
    yield "bits-frame-plain-alpha.webp", animation(frame((b"ALPH", plain), (b"VP8 ", lossy)), other)
    yield "holes-frame.webp", animation(frame(lossless(with_holes(few))), other)
    # Not to be blended with what is below.
    inset = frame(lossless(few.convert("RGB")), at=(4, 6), flags=2)
    yield "inset-frame.webp", animation(inset, other, size=(50, 44))
    yield "rejected-frame-size.webp", animation(frame(lossless(image), size=(width, height - 1)))
    veiled = riff(header(0x10), (b"ALPH", plain), (b"VP8 ", lossy))
    yield "bits-plain-alpha.webp", veiled
    yield "cut-in-alpha.webp", veiled[:600]
    yield "cut-in-profile.webp", riff(header(0x20), (b"ICCP", bytes(600)), lossless(image))[:400]
    yield "rejected-without-image.webp", riff(header(0x20), (b"ICCP", bytes(600)))
    yield "cut-alpha-after-image.webp", riff(header(0x10), (b"VP8 ", lossy), (b"ALPH", plain))[:-600]
    # The orientation in it is still there, but metadata that are cut do not count.
    yield "same-exif-cut.webp", riff(header(8), lossless(image), (b"EXIF", exif(6)))[:-4]
    large = detailed()
    size = large.size
    opaque = webp_chunks(encoded(large, "WEBP", quality=30))
    yield "long-frame-lossy.webp", animation(frame(*opaque.items(), size=size), size=size)
    yield "long-frame-lossless.webp", animation(frame(lossless(large), size=size), size=size)
    halves = Image.new("L", size, 255)
    halves.paste(100, (0, 0, size[0] // 2, size[1]))
    large.putalpha(halves)
    file = encoded(large, "WEBP", quality=30)
    yield "long-alpha-lossy.webp", file
    chunks = webp_chunks(file)
    veiled = [(name, chunks[name]) for name in (b"ALPH", b"VP8 ")]
    yield "long-frame-alpha-lossy.webp", animation(frame(*veiled, size=size), size=size)


def tiffs(image, grey, few, steps):
    width, height = SIZE
    shades = grey.tobytes()
    pixels = width * height
    planes = [band for band in image.split()]
    parts = [part for plane in planes for part in tiles(plane, 16, 16)]
    tile = {322: [16], 323: [16], 324: [256 * i for i in range(len(parts))], 325: [256] * len(parts)}
    yield "same-planar-tiles.tif", tiff({**tiff_tags(t273=None, t278=None, t279=None, t284=[2]), **tile}, b"".join(parts))
    # Blue comes first in the file, and each plane has a strip of 20 rows and one of 10.
    offsets = [plane * pixels + y * width for plane in (2, 1, 0) for y in (0, 20)]
    backwards = b"".join(plane.tobytes() for plane in planes[::-1])
    strips = {273: offsets, 278: [20], 279: [800, 400] * 3, 284: [2]}
    yield "same-planar-backwards.tif", tiff({**tiff_tags(), **strips}, backwards)
    large_counts = {273: [0, 800], 278: [20], 279: [100_000] * 2}
    yield "grey-large-counts.tif", tiff({**tiff_tags(samples=1, t262=[1]), **large_counts}, shades)
    unread = struct.pack("<HHI", 34675, 4, 1)
    file = tiff(tiff_tags(samples=1, t262=[1], t34675=[0]), shades)
    yield "grey-long-unread-list.tif", file.replace(unread, unread[:4] + struct.pack("<I", 1 << 19))
    nibbles = b"".join(pack([v // 17 for v in row], 4) for row in png_rows(steps))
    yield "steps-4-bits.tif", tiff(tiff_tags(samples=1, t258=[4], t262=[1], t279=[len(nibbles)]), nibbles)
    pairs = bytes(value // 17 << 4 | 5 for value in steps.tobytes())
    yield "steps-second-channel-4-bits.tif", tiff(
        tiff_tags(samples=2, t258=[4, 4], t262=[1], t279=[len(pairs)], t338=[0]), pairs
    )
    black = b"".join(bytes([0, 0, 0, 255 - v]) for v in shades)
    yield "grey-cmyk-black.tif", tiff(tiff_tags(samples=4, t262=[5]), black)
    yield "like-ycbcr.tif", encoded(image.convert("YCbCr"), "TIFF")
    veil = b"".join(bytes([*(value - 204 for value in pixel), 51]) for pixel in pale(image).getdata())
    yield "pale-premultiplied.tif", tiff(tiff_tags(samples=4, t338=[1]), veil)
    second = b"".join(bytes([value, 5]) for value in shades)
    yield "grey-second-channel.tif", tiff(tiff_tags(samples=2, t262=[1], t338=[0]), second)
    shown = b"".join(bytes([value, 255 * (at < ROWS * width)]) for at, value in enumerate(shades))
    yield f"grey-top-{ROWS}-alpha.tif", tiff(tiff_tags(samples=2, t262=[1], t338=[2]), shown)
    for name, kind, size, value in ("float", "f", 4, 1 / 255), ("float-16", "e", 2, 1 / 255), ("32-bits", "I", 4, 0x01010101):
        values = struct.pack(f"<{pixels}{kind}", *(shade * value for shade in shades))
        sample = [1] if kind == "I" else [3]
        yield f"grey-{name}.tif", tiff(tiff_tags(samples=1, t258=[8 * size], t262=[1], t279=[len(values)], t339=sample), values)
    deflate = tiff_tags(samples=1, t259=[8], t262=[1])
    yield "rejected-damaged-strip.tif", tiff({**deflate, 279: [40]}, b"\x55" * 40)
    compressed = zlib.compress(shades)
    file = tiff({**deflate, 279: [len(compressed)]}, compressed)
    yield "cut-no-strip.tif", file[: -len(compressed)]
    # 4,194,304 pixels more than the image has; not a multiple of 16, which few readers demand.
    large = Image.new("L", (592, 7087))
    large.paste(grey)
    yield "grey-large-tile.tif", tiled(592, 7087, zlib.compress(large.tobytes(), 9))
    yield "rejected-larger-tile.tif", tiled(592, 7088, zlib.compress(b""))
    for samples in 6, 7:
        many = tiff_tags(4, 4, samples=samples, t262=[1], t338=[0] * (samples - 1))
        yield f"rejected-{samples}-channels.tif", tiff(many, bytes(16 * samples))
    jpeg = encoded(image, "TIFF", compression="jpeg", quality=60)
    # One row more than a JPEG of 40 x 30 pixels may have beyond them.
    at = jpeg.index(b"\xff\xc0") + 5
    yield "rejected-larger-jpeg.tif", jpeg[:at] + struct.pack(">HH", 95, 104) + jpeg[at + 4 :]
    short = few.getpalette()[: 3 * COLOURS]
    short = [short[i + c] * 257 for c in range(3) for i in range(0, 3 * COLOURS, 3)]
    yield "dark-short-palette.tif", tiff(tiff_tags(samples=1, t262=[3], t320=short), few.tobytes())
    palette = (few.getpalette() + [0] * 768)[:768]
    deep, shallow = ([palette[i + c] * factor for c in range(3) for i in range(0, 768, 3)] for factor in (257, 1))
    indexed = tiff_tags(samples=1, t262=[3])
    yield "few-palette-big-endian.tif", tiff({**indexed, 320: deep}, few.tobytes(), ">")
    yield "few-palette-8-bits.tif", tiff({**indexed, 320: shallow}, few.tobytes())
    yield "few-palette-8-bits-big-endian.tif", tiff({**indexed, 320: shallow}, few.tobytes(), ">")


def tiled(width, height, data):
    """A grey image of 40 x 30 pixels in one compressed tile."""
    tags = tiff_tags(samples=1, t259=[8], t262=[1], t273=None, t278=None, t279=None)
    return tiff({**tags, 322: [width], 323: [height], 324: [0], 325: [len(data)]}, data)


def pnms(image, grey, few, steps):
    def pam(depth, maximum, kind):
        return f"P7\nWIDTH 40\nHEIGHT 30\nDEPTH {depth}\nMAXVAL {maximum}\nTUPLTYPE {kind}\nENDHDR\n".encode()

    def deep(values):
        return b"".join(struct.pack(">H", value * 257) for value in values)

    shades = grey.tobytes()
    two = b"".join(bytes([value, 255 * (at < ROWS * SIZE[0])]) for at, value in enumerate(shades))
    yield f"grey-top-{ROWS}-alpha.pam", pam(2, 255, "GRAYSCALE_ALPHA") + two
    yield f"grey-top-{ROWS}-alpha-deep.pam", pam(2, 65535, "GRAYSCALE_ALPHA") + deep(two)
    holes = with_holes(few).tobytes()
    yield "holes-without-kind.pam", pam(4, 255, "").replace(b"TUPLTYPE \n", b"") + holes
    yield f"top-{ROWS}-alpha-deep-cut.pam", pam(4, 65535, "RGB_ALPHA") + deep(image.convert("RGBA").tobytes()[: ROWS * 160 + 7])
    yield "rejected-cmyk.pam", pam(4, 255, "CMYK") + bytes(4 * 40 * 4)
    yield f"grey-top-{ROWS}-deep-cut.pgm", b"P5 40 30 65535\n" + deep(shades[: ROWS * 40 + 7])
    yield "grey-comment-after-number.pgm", b"P5 40 30 255# the end\n" + shades
    yield "steps-15.pgm", b"P5 40 30 15\n" + bytes(value // 17 for value in steps.tobytes())
    yield "rejected-size.pgm", b"P5 4x3 255\n" + bytes(12)
    yield "rejected-text-cut.pgm", b"P2 40 30 255\n1 2 3 4"


def tgas(image, grey, few):
    yield "grey-alpha.tga", encoded(Image.merge("LA", (grey, Image.new("L", SIZE, 255))), "TGA")
    clear = image.convert("RGBA")
    clear.putalpha(0)
    yield "same-alpha-all-zero.tga", encoded(clear, "TGA")
    palette = b"".join(bgr0(few)[at : at + 3] for at in range(0, 1024, 4))

    def head(colours, id_bytes):
        return struct.pack("<BBBHHBHHHHBB", id_bytes, 1, 1, 0, colours, 24, 0, 0, *SIZE, 8, 0x20) + b"\x11" * id_bytes

    yield f"few-top-{ROWS}-id-cut.tga", head(256, 100) + palette + few.tobytes()[: ROWS * SIZE[0] + 7]
    yield "rejected-short-palette.tga", head(COLOURS, 0) + palette[: 3 * COLOURS] + few.tobytes()


def qois(few):
    yield "holes-rgba.qoi", qoi(with_holes(few)) + QOI_END
    yield "soft-rgb.qoi", qoi(soft()) + QOI_END


NOT_PILLOW = {
    # Pillow takes the last palette; here as in libpng the first valid one counts.
    "few-three-palettes.png",
    # Pillow rejects these frames. In browsers, too, a frame without a size is as large as the screen.
    "few-frame-without-width.gif",
    "few-frame-without-height.gif",
    # The pixels are all there, and what is odd is a field that is not needed.
    "few-offset-at-end.bmp",
    "few-without-mask.ico",
    "same-entry-at-end.ico",
    "same-alpha-all-zero.tga",
    # Pillow gives skipped pixels the first colour; in browsers they are transparent.
    "holes-rle8-jumps.bmp",
    # Pillow takes the first pixels for a part of the number; netpbm does not.
    "grey-comment-after-number.pgm",
    # Pillow rejects it, but all that is missing is the end of the metadata.
    "same-exif-cut.webp",
    # Pillow takes 8 bits for the lower half of 16; libtiff's tools do not.
    "few-palette-8-bits.tif",
    "few-palette-8-bits-big-endian.tif",
    # Pillow does not read these kinds, or does not reduce their values to 8 bits.
    "steps-second-channel-4-bits.tif",
    "grey-float.tif",
    "grey-float-16.tif",
    "grey-32-bits.tif",
    "holes-without-kind.pam",
}


def all_kinds(image, grey, few, steps):
    yield from pngs(few)
    yield from gifs(few)
    yield from bmps(image, few)
    yield from icons(image, few)
    yield from webps(image)
    yield from webp_frames(image, grey, few)
    yield from tiffs(image, grey, few, steps)
    yield from pnms(image, grey, few, steps)
    yield from tgas(image, grey, few)
    yield from qois(few)
