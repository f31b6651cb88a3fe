"""Creates the seeds of the fuzzers: small images of each format, lists of headers, and bodies of requests. Needs Pillow:

    python3 -m venv venv && venv/bin/pip install pillow && venv/bin/python fuzz/seeds/make.py

The seeds of the JPEG decoder are its golden images, jpeg/tests/golden and the scans in it.
"""

import base64
import io
import json
import pathlib
import struct

from PIL import Image

import formats
import model_folders

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
    """The lossy frame claims 268 megapixels; the container keeps its dimensions."""
    at = webp.index(b"VP8 ") + 14
    return webp[:at] + struct.pack("<HH", 16383, 16383) + webp[at + 4 :]


def with_frames_of_two_sizes(webp):
    """The translucent frames claim fewer rows than their images, whose chunks are renamed."""
    at = 0
    while (at := webp.find(b"ANMF", at + 1)) >= 0:
        webp = webp[: at + 17] + struct.pack("<I", SIZE[1] - 2)[:3] + webp[at + 20 :]
    return webp.replace(b"VP8 ", b"none")


def with_longer_exif(webp):
    """The EXIF chunk claims a length of 2 GiB."""
    at = webp.index(b"EXIF") + 4
    return webp[:at] + struct.pack("<I", (1 << 31) - 1) + webp[at + 4 :]


def images():
    rgb = colours()
    rgba = rgb.copy()
    rgba.putalpha(Image.linear_gradient("L").resize(SIZE))
    grey = rgb.convert("L")
    sixteen_bit = Image.new("I;16", SIZE)
    sixteen_bit.putdata([(x * 1601) % 65536 for x in range(SIZE[0] * SIZE[1])])
    palette = rgb.quantize(16)
    frames = [colours(phase) for phase in range(1, 3)]
    turned = Image.Exif()
    turned[0x0112] = 6

    for name, image in {
        "rgb": rgb,
        "rgba": rgba,
        "grey": grey,
        "grey-alpha": rgba.convert("LA"),
        "16-bit": sixteen_bit,
        "palette": palette,
        "bilevel": grey.convert("1"),
        "pixel": rgb.crop((0, 0, 1, 1)),
    }.items():
        yield f"{name}.png", encoded(image, "PNG")
    yield "palette-transparent.png", encoded(palette, "PNG", transparency=3)
    yield "turned.png", encoded(rgb, "PNG", exif=turned)
    for name, image in {"rgb": rgb, "grey": grey, "palette": palette, "bilevel": grey.convert("1"), "rgba": rgba}.items():
        yield f"{name}.bmp", encoded(image, "BMP")
    yield "palette.gif", encoded(palette, "GIF")
    yield "transparent.gif", encoded(palette, "GIF", transparency=3)
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
    """One line each for host, content type, authorization, grpc-timeout, x-request-id and origin. "-" omits the header."""
    grpc, token = "application/grpc", "Bearer secret"
    for name, lines in {
        "native": ["localhost", grpc, token, "1S", "my-own-id", "-"],
        "required-only": ["127.0.0.1:50051", grpc, token, "-", "-", "-"],
        "no-token": ["[::1]:443", grpc, "-", "-", "-", "-"],
        "wrong-token": ["photos.example", grpc, "Basic c2VjcmV0", "5m", "-", "-"],
        "long-timeout": ["localhost", grpc, token, "99999999H", "-", "-"],
        "no-timeout": ["localhost", grpc, token, "0n", "-", "-"],
        "wrong-timeout": ["localhost", grpc, token, "100000000u", "a b", "-"],
        "grpc-web": ["localhost", "application/grpc-web+proto; charset=utf-8", token, "1M", "x", "https://app.example.com"],
        "grpc-web-text": ["localhost", "Application/gRPC-Web-Text", "bearer  secret", "1u", "", "-"],
        "form-content-type": ["localhost", "application/x-www-form-urlencoded", token, "-", "-", "https://elsewhere.example"],
        "other-host": ["user@elsewhere.example:80", grpc, token, "-", "-", "-"],
    }.items():
        yield name, "\n".join(lines).encode()


def grpc_web_bodies():
    """One byte each for the method, for the content type and HTTP version, and for the chunk size; then the body."""

    def frame(message, flag=0):
        return struct.pack(">BI", flag, len(message)) + message

    image = b"\x89PNG\r\n\x1a\n and so on"
    classify = frame(b"\x0a" + bytes([len(image)]) + image + b"\x10\x03")
    list_services = frame(b"\x3a\x00")
    request = b"\x0a" + bytes([len(image)]) + image + b"\x2a\x01a"
    empty = b"\x0a\x00\x2a\x01b"
    batch = b"".join(b"\x0a" + bytes([len(one)]) + one for one in (request, empty, request))

    def field(number, value):
        assert len(value) < 128
        return bytes([number << 3 | 2, len(value)]) + value

    def infer(tensor):
        named = field(1, b"image") + field(2, b"BYTES") + field(3, b"\1")
        parameter = field(4, field(1, b"a") + field(2, b"\x10\1"))
        return field(1, b"efficientnet-lite0") + field(5, named + parameter + tensor) + field(6, field(1, b"label"))

    for name, (plan, body) in {
        "classify-web": ((0, 0, 255), classify),
        "classify-web-h2": ((0, 128, 7), classify),
        "classify-text": ((0, 2, 3), classify),
        "classify-text-raw": ((0, 4, 255), b"AAAAAAQKAhAD"),
        "text-not-base64": ((0, 4, 2), b"AAA=AAA*"),
        "model": ((1, 1, 255), frame(b"")),
        "model-unknown": ((1, 1, 255), frame(b"\x0a\x01x")),
        "unknown-method": ((2, 0, 255), frame(b"")),
        "health": ((3, 3, 2), frame(b"")),
        "reflection": ((4, 0, 255), list_services),
        "reflection-twice": ((4, 2, 5), list_services + list_services),
        "reflection-malformed": ((4, 128, 15), frame(b"\x0a\x20 and so on") + b"\xb2" * 40),
        "unknown-path": ((5, 0, 255), b""),
        "empty": ((0, 0, 255), b""),
        "compressed": ((0, 0, 255), frame(b"\x0a\x00", flag=1)),
        "trailers": ((1, 0, 255), frame(b"") + frame(b"grpc-status:0\r\n", flag=0x80)),
        "batch": ((7, 0, 255), frame(batch)),
        "batch-text": ((7, 2, 5), frame(batch)),
        "batch-empty": ((7, 128, 255), frame(b"")),
        "batch-twice": ((7, 0, 9), frame(batch) + frame(batch)),
        "batch-truncated": ((7, 0, 4), frame(batch)[:-3]),
        "infer": ((6, 0, 255), frame(infer(field(5, field(8, image))))),
        "infer-raw": ((6, 128, 255), frame(infer(b"") + field(7, struct.pack("<I", len(image)) + image))),
        "infer-numbers": ((6, 2, 7), frame(infer(field(5, field(3, b"\1\x80\1") + b"\x18\1" + field(6, bytes(8)))))),
        "infer-many": ((6, 0, 255), frame(infer(field(5, field(8, b"") * 30)) + field(7, b"") * 70)),
        "infer-twice": ((6, 0, 255), frame(infer(b"")) + frame(infer(b""))),
        "stream": ((8, 128, 255), frame(request) + frame(empty) + frame(request)),
        "stream-small-chunks": ((8, 0, 3), frame(request) + frame(request)),
        "stream-text": ((8, 2, 255), frame(empty) + frame(request)),
        "stream-malformed": ((8, 128, 6), frame(request) + frame(b"\x0a\xff")),
        "stream-truncated": ((8, 128, 255), frame(request) + frame(request)[:-2]),
        "stream-empty": ((8, 0, 1), b""),
        "too-long": ((0, 0, 255), b"\x00\x7f\xff\xff\xffabc"),
        "truncated": ((0, 2, 1), classify[:-4]),
    }.items():
        yield name, bytes(plan) + body


def forms():
    """One byte each for the content type and HTTP version, for the query, and for the chunk size; then the body."""
    image = b"\x89PNG\r\n\x1a\n and so on"

    def part(disposition, content, *headers):
        lines = [b"--b", b"content-disposition: form-data; " + disposition, *headers, b"", content, b""]
        return b"\r\n".join(lines)

    file = part(b'name="image"; filename="cat.png"', image, b"content-type: image/png")
    for name, (plan, body) in {
        "file": ((0, 0, 255), file + b"--b--\r\n"),
        "file-after-text": ((1, 1, 7), part(b'name="comment"', b"a cat") + file + b"--b--\r\n"),
        "file-name-star": ((128, 2, 255), part(b"name=image; filename*=UTF-8''c%C3%A4t.png", image) + b"--b--\r\n"),
        "file-name-latin-1": ((0, 0, 255), part(b'name="image"; filename="c\xe4t.png"', image) + b"--b--\r\n"),
        "file-empty-first": ((0, 0, 3), part(b'name="image"; filename=""', b"") + file + b"--b--\r\n"),
        "no-file-name": ((0, 3, 255), part(b'name="image"', image) + b"--b--\r\n"),
        "no-closing-boundary": ((0, 0, 1), file),
        "no-boundary": ((2, 0, 255), file + b"--b--\r\n"),
        "empty": ((0, 0, 255), b""),
        "plain": ((3, 1, 4), image),
        "plain-text": ((5, 0, 255), b"data:image/png;base64,iVBORw0KGgo="),
        "too-long": ((4, 0, 255), image + bytes(1000)),
    }.items():
        yield name, bytes(plan) + body


def inferences():
    """A byte for the model, and the length of the JSON in two, 65535 for none; then the body."""
    image = b"\x89PNG\r\n\x1a\n and so on"

    def body(model, value, tensors=b"", with_length=True):
        text = json.dumps(value).encode()
        length = len(text) if with_length else 0xFFFF
        return struct.pack("<BH", model, length) + text + tensors

    def tensor(parameters, **data):
        return {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": parameters, **data}

    def outputs(**parameters):
        return [{"name": name, "parameters": parameters} for name in ("label", "probabilities")]

    in_base64 = tensor({"content_type": "base64"}, data=[base64.b64encode(image).decode()])
    element = struct.pack("<I", len(image)) + image
    binary = tensor({"binary_data_size": len(element)})
    numbers = {"name": "input", "datatype": "FP32", "shape": [1, 3, 224, 224], "data": [[1, -2.5], [[1e300]]]}
    yield "base64", body(0, {"id": "a", "inputs": [in_base64], "outputs": outputs(classification=2)}, with_length=False)
    yield "binary", body(0, {"inputs": [binary], "parameters": {"binary_data_output": True}}, element)
    yield "binary-output", body(0, {"inputs": [in_base64], "outputs": outputs(binary_data=True)})
    yield "binary-too-short", body(0, {"inputs": [binary]}, element[:-1])
    yield "binary-too-long", body(0, {"inputs": [binary]}, element + b"x")
    yield "image", struct.pack("<BH", 0, 0) + image
    yield "numbers", body(1, {"inputs": [numbers]})
    yield "nested", body(1, {"inputs": [tensor({"a": [[{}]], "b": {"c": None}}, data=[[[[[]]]]])]})
    yield "two", body(0, {"inputs": [in_base64, binary]}, element)
    yield "many", body(0, {"inputs": [], "outputs": [{"name": "label"}] * 70}, with_length=False)
    yield "empty", struct.pack("<BH", 0, 0xFFFF)
    yield "truncated", body(0, {"inputs": [in_base64]})[:-9]


TARGETS = {
    "image": images,
    "formats": formats.images,
    "headers": headers,
    "form": forms,
    "grpc_web": grpc_web_bodies,
    "infer": inferences,
    "model_folder": model_folders.seeds,
}
for target, seeds in TARGETS.items():
    for name, data in seeds():
        write(target, name, data)
