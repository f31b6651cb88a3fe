"""Makes the seeds of the fuzzers: small pictures of every kind, lists of headers, bodies of calls. Needs Pillow:

    python3 -m venv venv && venv/bin/pip install pillow && venv/bin/python fuzz/seeds/make.py

The seeds of the JPEG decoder are its golden images, jpeg/tests/golden and the scans in it.
"""

import io
import pathlib
import struct

from PIL import Image

HERE = pathlib.Path(__file__).parent
SIZE = (40, 30)


def write(target, name, data):
    folder = HERE / target
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)


def encoded(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def colours(phase=0):
    width, height = SIZE
    image = Image.new("RGB", SIZE)
    image.putdata(
        [(x * 255 // width, y * 255 // height, (x * y + 8 * phase) % 256) for y in range(height) for x in range(width)]
    )
    return image


def with_larger_frame(webp):
    """Its lossy frame says that it has 250 megapixels, the container stays as it is."""
    at = webp.index(b"VP8 ") + 14
    return webp[:at] + struct.pack("<HH", 16383, 16383) + webp[at + 4 :]


def with_frames_of_two_sizes(webp):
    """Its translucent frames say that they have a row less than their pictures, whose chunks have another name."""
    at = 0
    while (at := webp.find(b"ANMF", at + 1)) >= 0:
        webp = webp[: at + 17] + struct.pack("<I", SIZE[1] - 2)[:3] + webp[at + 20 :]
    return webp.replace(b"VP8 ", b"none")


def with_longer_exif(webp):
    """Its Exif chunk says that it has 2 GB."""
    at = webp.index(b"EXIF") + 4
    return webp[:at] + struct.pack("<I", (1 << 31) - 1) + webp[at + 4 :]


def pictures():
    rgb = colours()
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(SIZE))
    grey = rgb.convert("L")
    deep = Image.new("I;16", SIZE)
    deep.putdata([(x * 1601) % 65536 for x in range(SIZE[0] * SIZE[1])])
    palette = rgb.quantize(16)
    frames = [colours(phase) for phase in range(1, 3)]
    turned = Image.Exif()
    turned[0x0112] = 6

    for name, image in {
        "rgb": rgb,
        "rgba": rgba,
        "grey": grey,
        "grey-alpha": rgba.convert("LA"),
        "deep": deep,
        "palette": palette,
        "bits": grey.convert("1"),
        "pixel": rgb.crop((0, 0, 1, 1)),
    }.items():
        yield f"{name}.png", encoded(image, "PNG")
    yield "palette-clear.png", encoded(palette, "PNG", transparency=3)
    yield "turned.png", encoded(rgb, "PNG", exif=turned)
    for name, image in {"rgb": rgb, "grey": grey, "palette": palette, "bits": grey.convert("1"), "rgba": rgba}.items():
        yield f"{name}.bmp", encoded(image, "BMP")
    yield "palette.gif", encoded(palette, "GIF")
    yield "clear.gif", encoded(palette, "GIF", transparency=3)
    yield "interlaced.gif", encoded(palette, "GIF", interlace=1)
    yield "moving.gif", encoded(rgb, "GIF", save_all=True, append_images=frames, duration=50)
    yield "lossy.webp", encoded(rgb, "WEBP", quality=60)
    yield "lossy-alpha.webp", encoded(rgba, "WEBP", quality=60)
    yield "larger-frame.webp", with_larger_frame(encoded(rgba, "WEBP", quality=60))
    yield "lossless.webp", encoded(rgba, "WEBP", lossless=True)
    yield "lossless-palette.webp", encoded(palette.convert("RGB"), "WEBP", lossless=True)
    yield "turned.webp", encoded(rgb, "WEBP", exif=turned)
    yield "longer-exif.webp", with_longer_exif(encoded(rgb, "WEBP", exif=turned))
    yield "moving.webp", encoded(rgba, "WEBP", save_all=True, append_images=frames, duration=50)
    yield "two-sizes.webp", with_frames_of_two_sizes(
        encoded(rgba, "WEBP", save_all=True, append_images=frames, duration=50, quality=60)
    )
    yield "progressive.jpg", encoded(rgb, "JPEG", progressive=True, quality=60)
    yield "cmyk.jpg", encoded(rgb.convert("CMYK"), "JPEG", quality=60)
    yield "turned.jpg", encoded(rgb.resize((160, 120)), "JPEG", exif=turned, quality=40)


def headers():
    """Host, content type, authorization, grpc-timeout, x-request-id, origin: a line each, "-" for none."""
    grpc, token = "application/grpc", "Bearer secret"
    for name, lines in {
        "native": ["localhost", grpc, token, "1S", "my-own-id", "-"],
        "few": ["127.0.0.1:50051", grpc, token, "-", "-", "-"],
        "no-token": ["[::1]:443", grpc, "-", "-", "-", "-"],
        "wrong-token": ["photos.example", grpc, "Basic c2VjcmV0", "5m", "-", "-"],
        "long-timeout": ["localhost", grpc, token, "99999999H", "-", "-"],
        "no-timeout": ["localhost", grpc, token, "0n", "-", "-"],
        "wrong-timeout": ["localhost", grpc, token, "100000000u", "a b", "-"],
        "web": ["localhost", "application/grpc-web+proto; charset=utf-8", token, "1M", "x", "https://app.example.com"],
        "text": ["localhost", "Application/gRPC-Web-Text", "bearer  secret", "1u", "", "-"],
        "form": ["localhost", "application/x-www-form-urlencoded", token, "-", "-", "https://elsewhere.example"],
        "elsewhere": ["user@elsewhere.example:80", grpc, token, "-", "-", "-"],
    }.items():
        yield name, "\n".join(lines).encode()


def bodies():
    """Which method, which content type and version of HTTP, bytes in a chunk; then the body."""

    def frame(message, flag=0):
        return struct.pack(">BI", flag, len(message)) + message

    picture = b"\x89PNG\r\n\x1a\n and so on"
    classify = frame(b"\x0a" + bytes([len(picture)]) + picture + b"\x10\x03")
    host = frame(b"\x3a\x00")
    for name, (plan, body) in {
        "classify-web": ((0, 0, 255), classify),
        "classify-web-h2": ((0, 128, 7), classify),
        "classify-text": ((0, 2, 3), classify),
        "classify-text-raw": ((0, 4, 255), b"AAAAAAQKAhAD"),
        "text-not-base64": ((0, 4, 2), b"AAA=AAA*"),
        "model": ((1, 1, 255), frame(b"")),
        "model-unknown": ((1, 1, 255), frame(b"\x0a\x01x")),
        "unknown": ((2, 0, 255), frame(b"")),
        "health": ((3, 3, 2), frame(b"")),
        "reflection": ((4, 0, 255), host),
        "reflection-twice": ((4, 2, 5), host + host),
        "nowhere": ((5, 0, 255), b""),
        "empty": ((0, 0, 255), b""),
        "compressed": ((0, 0, 255), frame(b"\x0a\x00", flag=1)),
        "trailers": ((1, 0, 255), frame(b"") + frame(b"grpc-status:0\r\n", flag=0x80)),
        "too-long": ((0, 0, 255), b"\x00\x7f\xff\xff\xffabc"),
        "cut-off": ((0, 2, 1), classify[:-4]),
    }.items():
        yield name, bytes(plan) + body


for target, seeds in {"picture": pictures, "headers": headers, "grpc_web": bodies}.items():
    for name, data in seeds():
        write(target, name, data)
