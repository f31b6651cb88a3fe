"""Writers of image files, plain enough to leave out or to break any part of one."""

import io
import struct
import zlib

from PIL import Image

SIZE = (40, 30)
ROWS = 20
"""Of images that are cut."""
HOLE = 200
"""A colour that no pixel has: the transparent one."""


def encoded(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def is_hole(x, y):
    return (3 * x + 5 * y) % 7 < 2


# ---- PNG


def png_chunk(name, content, crc=None):
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png(data, width=SIZE[0], height=SIZE[1], depth=8, colour=2, interlace=0, before=b"", end=True, crc=None):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    file = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + before
    if data is not None:
        file += png_chunk(b"IDAT", data, crc)
    return file + (png_chunk(b"IEND", b"") if end else b"")


def png_rows(image):
    bands = len(image.getbands())
    row = image.width * bands
    raw = image.tobytes()
    return [raw[at : at + row] for at in range(0, len(raw), row)]


def scanlines(rows, filters=None):
    return b"".join(bytes([filters[y] if filters else 0]) + row for y, row in enumerate(rows))


def adam7(image):
    lines = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, image.height, dy):
            lines += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in range(x0, image.width, dx))
    return lines


def stored(data):
    """Compressed without compression, so that a cut is at a known row."""
    return zlib.compress(data, 0)


def exif(orientation, prefix=b""):
    return prefix + b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"


def adam7_deep(image):
    lines = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(y0, image.height, dy):
            values = [v for x in range(x0, image.width, dx) for v in image.getpixel((x, y))]
            lines += b"\0" + b"".join(bytes([v, v]) for v in values)
    return lines


# ---- GIF


def lzw(pixels):
    """Without compression: a code for clearing before the table has grown."""
    codes = []
    for at, pixel in enumerate(pixels):
        if at % 250 == 0:
            codes.append(256)
        codes.append(pixel)
    codes.append(257)
    bits = sum(code << 9 * at for at, code in enumerate(codes))
    data = bits.to_bytes((9 * len(codes) + 7) // 8, "little")
    blocks = b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
    return b"\x08" + blocks + b"\0"


# ---- BMP


def bmp_rows(image, bits=24):
    raw = image.tobytes("raw", "BGR") if bits == 24 else image.tobytes()
    row = image.width * bits // 8
    padding = b"\0" * (-row % 4)
    return [raw[at : at + row] + padding for at in range(0, len(raw), row)][::-1]


def info_header(width=SIZE[0], height=SIZE[1], planes=1, bits=24, compression=0, colours=0, size=40):
    header = struct.pack("<IiiHHIIiiII", size, width, height, planes, bits, compression, 0, 2835, 2835, colours, 0)
    return header[:size].ljust(size, b"\0")


def bmp(header, data, extra=b""):
    """`extra` is masks and palette."""
    offset = 14 + len(header) + len(extra)
    return struct.pack("<2sIHHI", b"BM", offset + len(data), 0, 0, offset) + header + extra + data


def bgr0(few):
    palette = few.getpalette()[: 256 * 3]
    palette += [0] * (768 - len(palette))
    return b"".join(bytes([palette[i + 2], palette[i + 1], palette[i], 0]) for i in range(0, 768, 3))


def runs(image, kind):
    """RLE: lines of runs and of single pixels, in turn."""
    lines = b""
    width, height = image.size
    for y in reversed(range(height)):
        x = 0
        while x < width:
            pixel = [image.getpixel((x + i, y)) for i in range(min(7, width - x))]
            count = len(pixel)
            if count < 3 or len(set(pixel)) == 1:
                count = 1 if len(set(pixel)) > 1 else count
                lines += bytes([count]) + colour(pixel[0], kind)
            else:
                lines += bytes([0, count])
                if kind == 4:
                    halves = pixel + [0] * (count % 2)
                    content = bytes(a << 4 | b for a, b in zip(halves[::2], halves[1::2]))
                else:
                    content = b"".join(colour(p, kind) for p in pixel)
                lines += content + b"\0" * (len(content) % 2)
            x += count
        lines += b"\0\0"
    return lines + b"\0\1"


def colour(pixel, kind):
    if kind == 24:
        return bytes(pixel[::-1])
    return bytes([pixel << 4 | pixel if kind == 4 else pixel])


# ---- icons


def icon(images, kind=1):
    """`images` are (width, height, bits, content)."""
    head = struct.pack("<HHH", 0, kind, len(images))
    at = len(head) + 16 * len(images)
    entries = b""
    for width, height, bits, content in images:
        entries += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, bits, len(content), at)
        at += len(content)
    return head + entries + b"".join(content for *_, content in images)


# ---- WebP


def riff(*chunks):
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for name, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# ---- TIFF


def tiff(tags, data, order="<", big=False):
    """`tags` are name: values; 273 or 324 are offsets from the beginning of the data. All values are LONG, but for SHORTs."""
    shorts = {258, 259, 262, 274, 277, 284, 317, 320, 338, 339, 530}
    head, count, entry = (16, 8, 20) if big else (8, 2, 12)
    directory = head
    after = directory + count + entry * len(tags) + (8 if big else 4)
    blobs, entries = b"", b""
    inline = 8 if big else 4

    def pack(tag, values):
        return struct.pack(f"{order}{len(values)}{'H' if tag in shorts else 'I'}", *values)

    sizes = sum(len(pack(t, v)) for t, v in tags.items() if len(pack(t, v)) > inline)
    data_at = after + sizes
    for tag, values in sorted(tags.items()):
        if tag in (273, 324):
            values = [v + data_at for v in values]
        content = pack(tag, values)
        kind = 3 if tag in shorts else 4
        where = content.ljust(inline, b"\0")
        if len(content) > inline:
            where = struct.pack(f"{order}{'Q' if big else 'I'}", after + len(blobs))
            blobs += content
        entries += struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, kind, len(values)) + where
    mark = b"II" if order == "<" else b"MM"
    if big:
        start = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, directory)
    else:
        start = mark + struct.pack(f"{order}HI", 42, directory)
    number = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags))
    return start + number + entries + b"\0" * inline + blobs + data


def tiff_tags(width=SIZE[0], height=SIZE[1], samples=3, **more):
    tags = {
        256: [width],
        257: [height],
        258: [8] * samples,
        259: [1],
        262: [2],
        273: [0],
        277: [samples],
        278: [height],
        279: [width * height * samples],
    }
    tags.update({int(key[1:]): value for key, value in more.items()})
    return {tag: values for tag, values in tags.items() if values is not None}


def tiles(image, width, height):
    across, down = -(-image.width // width), -(-image.height // height)
    padded = Image.new(image.mode, (across * width, down * height))
    padded.paste(image)
    return [
        padded.crop((x * width, y * height, (x + 1) * width, (y + 1) * height)).tobytes()
        for y in range(down)
        for x in range(across)
    ]


def pack(samples, bits):
    """A row of samples; the next one begins at a byte."""
    row = 0
    for sample in samples:
        row = row << bits | sample
    padding = -len(samples) * bits % 8
    return (row << padding).to_bytes((len(samples) * bits + padding) // 8, "big")


# ---- PNM, TGA, QOI


def qoi(image):
    """Every pixel as the specification's encoder would write it."""
    bands = len(image.getbands())
    out = b"qoif" + struct.pack(">IIBB", *image.size, bands, 0)
    seen, before, run = [(0, 0, 0, 0)] * 64, (0, 0, 0, 255), 0
    pixels = list(image.getdata())
    for at, pixel in enumerate(pixels):
        pixel = pixel if bands == 4 else (*pixel, 255)
        if pixel == before:
            run += 1
            if run == 62 or at == len(pixels) - 1:
                out += bytes([0xC0 | run - 1])
                run = 0
            continue
        if run:
            out += bytes([0xC0 | run - 1])
            run = 0
        r, g, b, a = pixel
        index = (r * 3 + g * 5 + b * 7 + a * 11) % 64
        dr, dg, db = ((now - then + 128) % 256 - 128 for now, then in zip(pixel[:3], before[:3]))
        if seen[index] == pixel:
            out += bytes([index])
        elif a != before[3]:
            out += bytes([0xFF, *pixel])
        elif all(-2 <= d <= 1 for d in (dr, dg, db)):
            out += bytes([0x40 | dr + 2 << 4 | dg + 2 << 2 | db + 2])
        elif -32 <= dg <= 31 and -8 <= dr - dg <= 7 and -8 <= db - dg <= 7:
            out += bytes([0x80 | dg + 32, dr - dg + 8 << 4 | db - dg + 8])
        else:
            out += bytes([0xFE, r, g, b])
        seen[index], before = pixel, pixel
    return out


QOI_END = b"\0\0\0\0\0\0\0\1"
