"""Small images of every format, dialect and kind of damage: seeds of the fuzzer `image`, and what model/tests/formats/
reads. Each name begins with what the file has to be decoded to:

    same-      the pixels of source.png
    grey-      those of source-grey.png
    few-       those of source-few.png, which has few colours
    holes-     those of source-holes.png, which are of source-few.png, some of them white
    inset-     those of source-inset.png, which is source-few.png within white
    dark-      those of source-dark.png, which is source-few.png with half of its colours black
    steps-     those of source-steps.png, which has 16 shades of grey
    soft-      those of source-soft.png, whose neighbours differ by little
    pale-      those of source-pale.png, which is almost transparent over white
    top-N-     the first N rows of source.png, white below
    bottom-N-  the last N rows, white above
    cut-       too little to be accepted
    like-      roughly the pixels of source.png
    rejected-  to be rejected as not decodable; model/tests/formats/ has the reasons
    bomb-      to be rejected before anything is allocated

What Pillow reads as well is compared with what Pillow makes of it, here; see `NOT_PILLOW` for the others. What Chromium 156
shows of the files named top-N- and bottom-N- on white are the pixels expected.
"""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageOps

import formats_rare
from format_writers import (
    HOLE,
    QOI_END,
    ROWS,
    SIZE,
    adam7,
    adam7_deep,
    bgr0,
    bmp,
    bmp_rows,
    encoded,
    exif,
    icon,
    info_header,
    is_hole,
    lzw,
    pack,
    png,
    png_chunk,
    png_rows,
    qoi,
    riff,
    runs,
    scanlines,
    stored,
    tiff,
    tiff_tags,
    tiles,
)

INSET, INSET_SCREEN = (4, 6), (50, 44)
PHOTO = Path(__file__).parents[2] / "model/tests/golden/photos/coffee.png"


def source():
    width, height = SIZE
    image = Image.new("RGB", SIZE)
    image.putdata([(x * 255 // width, y * 255 // height, (x * y) % 256) for y in range(height) for x in range(width)])
    return image


def pngs(image, few):
    data = zlib.compress(scanlines(png_rows(image)))
    whole = png(data)
    row = 1 + SIZE[0] * 3
    # Behind the compressed data's two bytes and a block's five.
    cut_at = whole.index(b"IDAT") + 4 + 7 + ROWS * row
    plain = stored(scanlines(png_rows(image)))
    deep = [bytes(b for value in r for b in (value, value)) for r in png_rows(image)]
    palette = bytes(few.getpalette()[: 256 * 3]).ljust(768, b"\0") + b"\x07"
    sideways = image.transpose(Image.Transpose.ROTATE_90)
    yield "same-bad-crc.png", png(data, crc=1)
    yield "same-no-end.png", png(data, end=False)
    yield "same-unknown-critical.png", png(data, before=png_chunk(b"ABCD", b"xx"))
    yield "same-interlaced.png", png(zlib.compress(adam7(image)), interlace=1)
    yield "same-deep.png", png(zlib.compress(scanlines(deep)), depth=16)
    yield "same-deep-interlaced.png", png(zlib.compress(adam7_deep(image)), depth=16, interlace=1)
    yield "few-long-palette.png", png(
        zlib.compress(scanlines(png_rows(few))), colour=3, before=png_chunk(b"PLTE", palette)
    )
    yield f"top-{ROWS}-cut.png", png(plain, end=False)[:cut_at]
    yield f"top-{ROWS}-filter-9.png", png(zlib.compress(scanlines(png_rows(image), [0] * ROWS + [9] + [0] * 9)))
    yield "cut-no-data.png", png(None)
    yield "cut-second-row.png", png(plain, end=False)[: cut_at - (ROWS - 2) * row]
    turned = png_chunk(b"eXIf", exif(6, b"Exif\0\0"))
    lines = zlib.compress(scanlines(png_rows(sideways)))
    yield "same-exif-with-prefix.png", png(lines, sideways.width, sideways.height, before=turned)
    yield "bomb-dimensions.png", png(zlib.compress(b"\0" * 1000), 60000, 60000)


def gifs(few, grey):
    width, height = SIZE
    pixels = few.tobytes()
    size = struct.pack("<HH", *SIZE)
    none = b"\0\0\0\0"
    screen = size + b"\xf7\0\0"
    palette = bytes(few.getpalette()[: 256 * 3]).ljust(768, b"\0")
    frame = b"," + none + size + b"\0"
    data = lzw(pixels) + b";"
    unknown = b"!\x42\x03abc\0" + b"!\xff\x0bUNKNOWN 1.0\x05hello\0" + b"\0\0\0"
    empty = b"!\x42\0" + b"!\x01\0" + b"!\xfe\0" + b"!\xff\0"
    end = b";"
    head = b"GIF89a"
    yield "few-no-screen.gif", head + none + screen[4:] + palette + frame + data
    yield "few-small-screen.gif", head + struct.pack("<HH", 10, 8) + screen[4:] + palette + frame + data
    yield "few-extensions.gif", head + screen + palette + unknown + frame + data
    yield "few-empty-extensions.gif", head + screen + palette + empty + frame + data
    yield "few-no-end.gif", head + screen + palette + frame + lzw(pixels)
    yield "few-cut-in-second-frame.gif", head + screen + palette + frame + lzw(pixels) + frame + lzw(pixels)[:100]
    yield "few-frame-without-size.gif", head + screen + palette + b",\0\0\0\0" + none + b"\0" + lzw(pixels) + end
    order = [*range(0, 30, 8), *range(4, 30, 8), *range(2, 30, 4), *range(1, 30, 2)]
    lines = b"".join(pixels[y * width : (y + 1) * width] for y in order)
    yield "few-interlaced.gif", head + screen + palette + frame[:9] + b"\x40" + lzw(lines) + end
    yield "grey-no-palette.gif", head + size + b"\x70\0\0" + b",\0\0\0\0" + size + b"\0" + lzw(grey.tobytes()) + end
    yield f"few-top-{ROWS}-few-pixels.gif", head + screen + palette + frame + lzw(pixels[: ROWS * width]) + end
    transparent = bytes(HOLE if is_hole(at % width, at // width) else pixel for at, pixel in enumerate(pixels))

    def control(flags, index):
        return b"!\xf9\x04" + bytes([flags, 0, 0, index, 0])

    screened = head + screen + palette
    yield "holes-transparent.gif", screened + control(1, HOLE) + frame + lzw(transparent) + end
    yield "holes-last-control.gif", screened + control(1, pixels[0]) + unknown[:7] + control(1, HOLE) + frame + lzw(transparent) + end
    yield "few-control-without-transparency.gif", screened + control(0, pixels[0]) + frame + data
    inset = b"," + struct.pack("<HHHH", *INSET, *SIZE) + b"\0"
    yield "inset-frame.gif", head + struct.pack("<HH", *INSET_SCREEN) + screen[4:] + palette + inset + data
    yield "cut-in-frame.gif", head + screen + palette + frame + data[:12]
    yield "bomb-screen.gif", head + b"\xff\xff\xff\xff" + screen[4:] + palette + frame + data


def bmps(image, few, few16):
    rows = bmp_rows(image)
    data = b"".join(rows)
    indices = b"".join(bmp_rows(few, 8))
    palette = bgr0(few)
    width, height = SIZE
    rgba = image.convert("RGBA").tobytes("raw", "BGRA")
    rgba = b"".join(rgba[at : at + 160] for at in range(0, len(rgba), 160)[::-1])
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    core = struct.pack("<IHHHH", 12, width, height, 1, 24)
    core8 = struct.pack("<IHHHH", 12, width, height, 1, 8)
    bgr = b"".join(palette[at : at + 3] for at in range(0, 1024, 4))
    yield "same-os2-1.bmp", bmp(core, data)
    yield "few-os2-1.bmp", bmp(core8, indices, bgr)
    yield "same-os2-2-16.bmp", bmp(info_header(size=16), data)
    yield "same-os2-2-64.bmp", bmp(info_header(size=64), data)
    yield "same-planes-0.bmp", bmp(info_header(planes=0), data)
    yield "same-no-offset.bmp", bmp(info_header(), data).replace(b"\x36\0\0\0\x28", b"\0\0\0\0\x28", 1)
    yield "few-long-palette.bmp", bmp(info_header(bits=8, colours=300), indices, palette + b"\1\2\3\0" * 44)
    yield "same-alpha-bitfields.bmp", bmp(info_header(bits=32, compression=6), rgba, masks)
    yield "same-bitfields.bmp", bmp(info_header(bits=32, compression=3), rgba, masks[:12])
    yield "same-bitfields-v3.bmp", bmp(info_header(bits=32, compression=3, size=40)[:40].replace(b"\x28", b"\x38", 1), rgba, masks)
    clear = b"".join(rgba[at : at + 3] + b"\0" for at in range(0, len(rgba), 4))
    yield "same-alpha-all-zero.bmp", bmp(info_header(bits=32, compression=6), clear, masks)
    yield "few-rle8.bmp", bmp(info_header(bits=8, compression=1), runs(few, 8), palette)
    yield "few16-rle4.bmp", bmp(info_header(bits=4, compression=2), runs(few16, 4), bgr0(few16)[:64])
    yield "same-rle24.bmp", bmp(info_header(bits=24, compression=4, size=64), runs(image, 24))
    odd = image.crop((0, 0, 39, 30))
    yield "odd-no-last-padding.bmp", bmp(info_header(width=39), b"".join(bmp_rows(odd)))[:-3]
    yield f"bottom-{ROWS}-cut.bmp", bmp(info_header(), data)[: 54 + ROWS * len(rows[0]) + 7]
    yield f"top-{ROWS}-cut.bmp", bmp(info_header(height=-30), b"".join(rows[::-1]))[: 54 + ROWS * len(rows[0]) + 7]
    part = few.crop((0, 30 - ROWS, 40, 30))
    cut = runs(part, 8)[:-2] + runs(few.crop((0, 0, 40, 10)), 8)[:9]
    yield f"few-bottom-{ROWS}-rle8-cut.bmp", bmp(info_header(bits=8, compression=1), cut, palette)
    yield "cut-no-rows.bmp", bmp(info_header(), data)[:100]
    yield "bomb-rle8.bmp", bmp(info_header(width=60000, height=60000, bits=8, compression=1), b"\0\1", palette)
    yield "same-headerless.dib", info_header() + data
    yield "few-headerless.dib", info_header(bits=8) + palette + indices
    yield "same-headerless-bitfields.dib", info_header(bits=32, compression=3) + masks[:12] + rgba
    yield f"bottom-{ROWS}-headerless-cut.dib", (info_header() + data)[: 40 + ROWS * len(rows[0]) + 7]


def icons(image, few):
    width, height = SIZE
    small = image.resize((16, 16))
    mask = b"\0" * (8 * height)
    data = b"".join(bmp_rows(image)) + mask
    bitmap = info_header(height=2 * height) + data
    rgba = image.convert("RGBA").tobytes("raw", "BGRA")
    rgba = b"".join(rgba[at : at + 160] for at in range(0, len(rgba), 160)[::-1])
    small_png = (16, 16, 32, encoded(small, "PNG"))
    yield "same-png.ico", icon([small_png, (width, height, 32, encoded(image, "PNG")), small_png])
    yield "same-bmp.ico", icon([small_png, (width, height, 24, bitmap)])
    yield "same-cursor.cur", icon([(width, height, 24, bitmap)], kind=2)
    yield "same-bmp-32.ico", icon([(width, height, 32, info_header(height=2 * height, bits=32) + rgba + mask)])
    clear = b"".join(rgba[at : at + 3] + b"\0" for at in range(0, len(rgba), 4))
    yield "same-bmp-32-without-alpha.ico", icon([(width, height, 32, info_header(height=2 * height, bits=32) + clear + mask)])
    # Rows as stored are from the bottom; the mask shows the last ones, which are the top.
    hidden = b"\xff" * (8 * (height - ROWS)) + b"\0" * (8 * ROWS)
    yield f"top-{ROWS}-mask.ico", icon([(width, height, 24, info_header(height=2 * height) + b"".join(bmp_rows(image)) + hidden)])
    bits = [[is_hole(x, y) for x in range(width)] + [0] * 24 for y in reversed(range(height))]
    holes = b"".join(bytes(sum(row[at + i] << 7 - i for i in range(8)) for at in range(0, 64, 8)) for row in bits)
    rows = b"".join(bmp_rows(few.convert("RGB")))
    yield "holes-mask.ico", icon([(width, height, 24, info_header(height=2 * height) + rows + holes)])
    bomb = png(zlib.compress(b"\0" * 1000), 60000, 60000)
    yield "bomb-png.ico", icon([(0, 0, 32, bomb)])


def webps(image):
    width, height = SIZE
    lossless = encoded(image, "WEBP", lossless=True, exact=True)
    sideways = encoded(image.transpose(Image.Transpose.ROTATE_90), "WEBP", lossless=True)
    data = lossless[20 : 20 + struct.unpack("<I", lossless[16:20])[0]]
    turned = sideways[20 : 20 + struct.unpack("<I", sideways[16:20])[0]]

    def extended(flags, w=width, h=height):
        return b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", w - 1)[:3] + struct.pack("<I", h - 1)[:3]

    yield "same-flags-without-chunks.webp", riff(extended(0x2C), (b"VP8L", data))
    yield "same-alpha-flag-alone.webp", riff(extended(0x10), (b"VP8L", data))
    yield "same-animation-flag-alone.webp", riff(extended(0x02), (b"VP8L", data))
    yield "same-exif-without-flag.webp", riff(extended(0), (b"VP8L", data), (b"EXIF", exif(6)))
    yield "same-exif-with-prefix.webp", riff(extended(8, height, width), (b"VP8L", turned), (b"EXIF", exif(6, b"Exif\0\0")))
    yield "same-size-odd.webp", lossless[:4] + struct.pack("<I", len(lossless) - 7) + lossless[8:]
    yield "same-size-big.webp", lossless[:4] + struct.pack("<I", len(lossless) + 5000) + lossless[8:]
    yield "same-unknown-chunks.webp", riff(extended(0), (b"ABCD", b"odd"), (b"VP8L", data), (b"WXYZ", b""))
    yield "cut-head.webp", lossless[:40]
    large = Image.new("RGB", (120, 90))
    large.putdata([(x * y % 251, x * 7 % 256 ^ y, (x * x + y * y) // 3 % 256) for y in range(90) for x in range(120)])
    yield "long-lossy.webp", encoded(large, "WEBP", quality=30)
    yield "long-lossless.webp", encoded(large, "WEBP", lossless=True)
    with Image.open(PHOTO) as photo:
        yield "long-photo-lossless.webp", encoded(photo.convert("RGB").crop((240, 150, 360, 240)), "WEBP", lossless=True)
    yield "bomb-canvas.webp", riff(extended(0, 1 << 24, 1 << 24), (b"VP8L", data))


def tiffs(image, grey, few, few16):
    width, height = SIZE
    raw = image.tobytes()
    row = width * 3
    for name, compression in {"lzw": "tiff_lzw", "deflate": "tiff_adobe_deflate", "packbits": "packbits"}.items():
        yield f"same-{name}.tif", encoded(image, "TIFF", compression=compression)
    yield "same-plain.tif", encoded(image, "TIFF")
    yield "same-rgba.tif", encoded(image.convert("RGBA"), "TIFF")
    yield "same-predictor.tif", encoded(image, "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield "same-big-endian.tif", tiff(tiff_tags(), raw, ">")
    yield "same-bigtiff.tif", tiff(tiff_tags(), raw, big=True)
    strips = {273: [y * row for y in range(0, height, 7)], 279: [min(7, height - y) * row for y in range(0, height, 7)]}
    yield "same-strips.tif", tiff({**tiff_tags(t278=[7]), **strips}, raw)
    parts = tiles(image, 16, 16)
    tile = {322: [16], 323: [16], 324: [768 * i for i in range(len(parts))], 325: [768] * len(parts)}
    yield "same-tiles.tif", tiff({**tiff_tags(t273=None, t278=None, t279=None), **tile}, b"".join(parts))
    planes = b"".join(band.tobytes() for band in image.split())
    plane = {273: [0, 1200, 2400], 279: [1200] * 3}
    yield "same-planar.tif", tiff({**tiff_tags(t284=[2]), **plane}, planes)
    deep = b"".join(struct.pack("<H", v * 257) for v in raw)
    yield "same-deep.tif", tiff(tiff_tags(t258=[16] * 3, t279=[len(deep)]), deep)
    sideways = image.transpose(Image.Transpose.ROTATE_90)
    yield "same-turned.tif", tiff(tiff_tags(height, width, t274=[6], t278=[width]), sideways.tobytes())
    extra = b"".join(raw[at : at + 3] + b"\x05" for at in range(0, len(raw), 3))
    yield "same-extra-sample.tif", tiff(tiff_tags(samples=4, t338=[0]), extra)
    yield "grey-plain.tif", encoded(grey, "TIFF")
    yield "grey-white-is-zero.tif", tiff(tiff_tags(samples=1, t262=[0]), bytes(255 - v for v in grey.tobytes()))
    yield "grey-alpha.tif", encoded(Image.merge("LA", (grey, Image.new("L", SIZE, 255))), "TIFF")
    yield "few-palette.tif", encoded(few, "TIFF")
    yield "few-palette-lzw.tif", encoded(few, "TIFF", compression="tiff_lzw")
    half = few16.tobytes()
    half = b"".join(bytes([half[at] << 4 | half[at + 1]]) for at in range(0, len(half), 2))
    palette = few16.getpalette()[:48]
    palette = [palette[i + c] * 257 for c in range(3) for i in range(0, 48, 3)]
    yield "few16-palette-4.tif", tiff(
        tiff_tags(samples=1, t258=[4], t262=[3], t279=[600], t320=palette), half
    )
    cmyk = image.convert("CMYK")
    yield "same-cmyk.tif", encoded(cmyk, "TIFF")
    white = image.convert("L").point(lambda v: 255 if v > 99 else 0).convert("1")
    yield "bits-group4.tif", encoded(white, "TIFF", compression="group4")
    yield "bits-plain.tif", encoded(white, "TIFF")
    for bits in 3, 5, 6, 7, 10, 12, 14, 24:
        shades = [v >> 8 - bits if bits < 8 else v << bits - 8 for v in grey.tobytes()]
        packed = b"".join(pack(shades[at : at + width], bits) for at in range(0, len(shades), width))
        yield f"rejected-grey-{bits}-bits.tif", tiff(tiff_tags(samples=1, t258=[bits], t262=[1], t279=[len(packed)]), packed)
    packed = b"".join(pack([v << 4 for v in raw[at : at + row]], 12) for at in range(0, len(raw), row))
    yield "rejected-rgb-12-bits.tif", tiff(tiff_tags(t258=[12] * 3, t279=[len(packed)]), packed, ">")
    palette_3 = few.getpalette()[:24]
    palette_3 = [palette_3[i + c] * 257 for c in range(3) for i in range(0, 24, 3)]
    packed = pack([0, 1, 2, 3, 4, 5, 6, 7] * 5, 3) * height
    yield "rejected-palette-3-bits.tif", tiff(
        tiff_tags(samples=1, t258=[3], t262=[3], t279=[len(packed)], t320=palette_3), packed
    )
    yield "like-jpeg.tif", encoded(image, "TIFF", compression="jpeg", quality=95)
    yield f"top-{ROWS}-cut.tif", tiff(tiff_tags(), raw)[: -(10 * row) + 7]
    cut_strips = tiff({**tiff_tags(t278=[5], t259=[8])}, b"")
    compressed = [zlib.compress(raw[y * row : (y + 5) * row]) for y in range(0, height, 5)]
    offsets = [sum(map(len, compressed[:i])) for i in range(len(compressed))]
    strips = {273: offsets, 279: [len(c) for c in compressed]}
    yield f"top-{ROWS}-cut-deflate.tif", tiff({**tiff_tags(t278=[5], t259=[8]), **strips}, b"".join(compressed[:4]) + compressed[4][:20])
    yield "cut-no-rows.tif", tiff(tiff_tags(), raw[:row])
    yield "bomb-dimensions.tif", tiff(tiff_tags(60000, 60000, t279=[len(raw)]), raw)
    bomb = zlib.compress(b"\0" * 1_000_000)
    yield "bomb-tile.tif", tiff(
        {**tiff_tags(t273=None, t278=None, t279=None, t259=[8]), 322: [1 << 20], 323: [1 << 20], 324: [0], 325: [len(bomb)]}, bomb
    )
    shared = {273: [0] * height, 279: [row] * height}
    yield "bomb-shared-strips.tif", tiff({**tiff_tags(t278=[1]), **shared}, raw[:row])
    entry = struct.pack("<HHI", 277, 3, 1)
    yield "bomb-list.tif", tiff(tiff_tags(), raw).replace(entry, struct.pack("<HHI", 277, 3, 1 << 22))
    yield "bomb-samples.tif", tiff(tiff_tags(samples=3, t277=[60000], t258=[8], t338=[0]), raw)
    jpeg = encoded(image, "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg = jpeg[:at] + struct.pack(">HH", 16000, 16000) + jpeg[at + 4 :]
    yield "bomb-jpeg.tif", tiff(tiff_tags(t259=[7], t262=[6], t279=[len(jpeg)]), jpeg)


def pnms(image, grey):
    raw = image.tobytes()
    text = " ".join(map(str, raw)).encode()
    size = b"40 30"
    bits = image.convert("L").point(lambda v: 255 if v > 99 else 0).convert("1")
    deep = b"".join(struct.pack(">H", v * 257) for v in raw)
    rgba = image.convert("RGBA").tobytes()
    pam = b"P7\nWIDTH 40\nHEIGHT 30\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    yield "same-binary.ppm", b"P6\n" + size + b"\n255\n" + raw
    yield "same-comment.ppm", b"P6 # one\n#two\n40 30\n# three\n255\n" + raw
    yield "same-text.ppm", b"P3\n" + size + b"\n255\n" + text
    yield "same-deep.ppm", b"P6 " + size + b" 65535\n" + deep
    yield "same-pam.pam", pam + rgba
    yield "grey-binary.pgm", b"P5\n" + size + b"\n255\n" + grey.tobytes()
    yield "bits-binary.pbm", encoded(bits, "PPM")
    yield f"top-{ROWS}-cut.ppm", b"P6\n" + size + b"\n255\n" + raw[: ROWS * 120 + 7]
    yield f"top-{ROWS}-cut.pam", pam + rgba[: ROWS * 160 + 7]
    yield "cut-no-rows.ppm", b"P6\n" + size + b"\n255\n" + raw[:119]
    yield "bomb-dimensions.ppm", b"P6\n60000 60000\n255\n" + raw


def tgas(image, grey, few):
    rgba = image.convert("RGBA")
    for name, variant in {"same": image, "grey": grey, "few": few}.items():
        yield f"{name}-plain.tga", encoded(variant, "TGA")
        yield f"{name}-runs.tga", encoded(variant, "TGA", compression="tga_rle")
    yield "same-alpha.tga", encoded(rgba, "TGA")
    yield "same-top-down.tga", encoded(image, "TGA", orientation=1)
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, *SIZE, 24, 0)
    down = head[:-1] + b"\x20"
    raw = image.tobytes("raw", "BGR")
    yield "same-no-footer.tga", down + raw
    yield f"top-{ROWS}-cut.tga", down + raw[: ROWS * 120 + 7]
    up = b"".join(raw[at : at + 120] for at in range(0, len(raw), 120)[::-1])
    yield f"bottom-{ROWS}-cut.tga", head + up[: ROWS * 120 + 7]
    packets = b"".join(b"\x27" + raw[at : at + 120] for at in range(0, len(raw), 120))
    yield f"top-{ROWS}-runs-cut.tga", (down[:2] + b"\x0a" + down[3:] + packets)[: 18 + ROWS * 121 + 7]
    yield "bomb-runs.tga", struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 65535, 65535, 24, 0) + b"\xff\1\2\3TRUEVISION-XFILE.\0"


def qois(image, few):
    rgb = few.convert("RGB")
    yield "same-rgb.qoi", qoi(image) + QOI_END
    yield "same-rgba.qoi", qoi(image.convert("RGBA")) + QOI_END
    yield "few-rgb.qoi", qoi(rgb) + QOI_END
    yield f"top-{ROWS}-cut.qoi", qoi(image.crop((0, 0, 40, ROWS))).replace(struct.pack(">II", 40, ROWS), struct.pack(">II", *SIZE))
    yield "cut-no-rows.qoi", qoi(image)[:60]
    yield "bomb-dimensions.qoi", b"qoif" + struct.pack(">IIBB", 60000, 60000, 3, 0) + QOI_END


NOT_PILLOW = formats_rare.NOT_PILLOW | {
    # Pillow rejects these, shows something else or takes the wrong block; Chromium 156 shows the pixels expected.
    "few-long-palette.bmp",
    "same-alpha-bitfields.bmp",
    "same-alpha-all-zero.bmp",
    "same-bitfields-v3.bmp",
    "same-os2-2-16.bmp",
    "same-no-offset.bmp",
    "same-rle24.bmp",
    "few-empty-extensions.gif",
    "same-bmp-32-without-alpha.ico",
    "same-cursor.cur",
    # Neither shows these, or not as expected, but the pixels are all there, and what is odd is a flag, a length or padding.
    "odd-no-last-padding.bmp",
    "few-frame-without-size.gif",
    "same-animation-flag-alone.webp",
    "same-size-odd.webp",
    "same-size-big.webp",
    # Pillow fills the screen around a frame with a colour, which browsers leave transparent.
    "inset-frame.gif",
    # Neither turns by Exif data that begin as in a JPEG; their writers meant it.
    "same-exif-with-prefix.png",
    "same-exif-with-prefix.webp",
    # Pillow does not read these kinds, and Chromium reads no file of the format.
    "same-extra-sample.tif",
    "same-deep.tif",
    "same-pam.pam",
}


def images():
    """Names and content."""
    image = source()
    grey = image.convert("L")
    few = image.quantize(64)
    few16 = image.quantize(16)
    bits = grey.point(lambda v: 255 if v > 99 else 0)
    holes = few.convert("RGB")
    holes.putdata([(255, 255, 255) if is_hole(at % 40, at // 40) else pixel for at, pixel in enumerate(holes.getdata())])
    dark = few.copy()
    dark.putpalette(few.getpalette()[: 3 * formats_rare.COLOURS] + [0] * (3 * (256 - formats_rare.COLOURS)))
    steps = grey.point(lambda v: v // 17 * 17)
    inset = Image.new("RGB", INSET_SCREEN, "white")
    inset.paste(few.convert("RGB"), INSET)
    sources = {
        "same": image,
        "grey": grey.convert("RGB"),
        "few": few.convert("RGB"),
        "few16": few16.convert("RGB"),
        "bits": bits.convert("RGB"),
        "odd": image.crop((0, 0, 39, 30)),
        "holes": holes,
        "inset": inset,
        "dark": dark.convert("RGB"),
        "steps": steps.convert("RGB"),
        "soft": formats_rare.soft(),
        "pale": formats_rare.pale(image),
    }
    for name, decoded in sources.items():
        yield f"source-{name}.png", encoded(decoded, "PNG")
    makers = [
        pngs(image, few),
        gifs(few, grey),
        bmps(image, few, few16),
        icons(image, few),
        webps(image),
        tiffs(image, grey, few, few16),
        pnms(image, grey),
        tgas(image, grey, few),
        qois(image, few),
        formats_rare.all_kinds(image, grey, few, steps),
    ]
    for maker in makers:
        for name, data in maker:
            check(name, data, sources)
            yield name, data


def check(name, data, sources):
    kind = name.split("-")[0]
    if kind not in sources or name in NOT_PILLOW or "-top-" in name or "-bottom-" in name:
        return
    with Image.open(io.BytesIO(data)) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", upright.size, "white")
    white.alpha_composite(upright)
    assert white.convert("RGB").tobytes() == sources[kind].tobytes(), f"{name}: Pillow shows something else"
