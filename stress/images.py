"""Test images: photographs, large images, images that are costly to decode, and decompression bombs. Images that are slow to
create are cached in target/stress/."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from report import OUTPUT, ROOT

Image.MAX_IMAGE_PIXELS = None
ENCODED_BYTES_MAX = 10 << 20
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def photograph(name: str = "coffee.png") -> bytes:
    return (ROOT / "model/tests/golden/photos" / name).read_bytes()


def small(format: str = "JPEG", side: int = 224, **options: object) -> bytes:
    """A photograph scaled to `side` x `side` pixels."""
    image = Image.open(io.BytesIO(photograph())).convert("RGB").resize((side, side))
    return _encoded(image, format, **options)


def of_each_format() -> list[bytes]:
    return [
        small("JPEG", 160),
        small("JPEG", 160, progressive=True),
        small("PNG", 96),
        small("WEBP", 160),
        small("WEBP", 96, lossless=True),
        small("GIF", 96),
        small("BMP", 64),
    ]


def costly() -> bytes:
    """6 MP, one colour per row: few bytes to send, but costly to decode."""
    return _cached("costly.png", lambda: _png(3000, 2000, colour=2, depth=8))


def large() -> dict[str, bytes]:
    """Images of 10 MiB that the server must accept, and whose decoders need the most memory."""

    def noise(format: str, side: int, **options: object) -> bytes:
        return _encoded(Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)), format, **options)

    def smooth(format: str, **options: object) -> bytes:
        image = Image.open(io.BytesIO(photograph())).convert("RGB").resize((5000, 5000))
        return _encoded(image, format, **options)

    return {
        "PNG of noise": _cached("noise.png", lambda: noise("PNG", 1865)),
        "JPEG of noise": _cached("noise.jpg", lambda: noise("JPEG", 2950, quality=95)),
        "25 MP progressive JPEG": padded(
            _cached("progressive.jpg", lambda: smooth("JPEG", progressive=True, quality=60))
        ),
        "25 MP PNG of 16 bits": padded(_cached("deep.png", lambda: _png(5000, 5000, colour=6, depth=16))),
        "25 MP lossless WebP": padded(_cached("flat.webp", lambda: _flat_webp())),
    }


def bombs() -> dict[str, bytes]:
    """Small files that claim more pixels than the server accepts."""
    return {
        "50 MP lossless WebP of 38 bytes": _webp_head(10_000, 5_000),
        "268 MP frame in a WebP of 0.01 MP": _webp_with_larger_frame(),
        "50 MP progressive JPEG": _jpeg_with_dimensions(10_000, 5_000),
        "49 MP PNG of 16 bits": _cached("bomb.png", lambda: _png(7_000, 7_000, colour=6, depth=16)),
        "25 MP + 1 PNG": _png(25_000_001, 1, colour=0, depth=8),
    }


def padded(image: bytes) -> bytes:
    """The image with zeros appended up to 10 MiB; decoders ignore them."""
    return image + bytes(max(0, ENCODED_BYTES_MAX - len(image)))


def _png(width: int, height: int, colour: int, depth: int) -> bytes:
    channels = {0: 1, 2: 3, 6: 4}[colour]
    packer = zlib.compressobj(9)
    row_bytes = width * channels * depth // 8
    packed = b"".join(packer.compress(b"\0" + bytes([y * 255 // height]) * row_bytes) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG_MAGIC + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed + packer.flush()) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _webp_head(width: int, height: int) -> bytes:
    dimensions = (width - 1) | (height - 1) << 14
    stream = b"\x2f" + struct.pack("<I", dimensions) + bytes(13)
    chunk = b"VP8L" + struct.pack("<I", len(stream)) + stream
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _webp_with_larger_frame() -> bytes:
    """The container has 96 x 96 pixels; its lossy frame claims more."""
    image = Image.open(io.BytesIO(photograph())).convert("RGBA").resize((96, 96))
    image.putalpha(128)
    encoded = _encoded(image, "WEBP")
    at = encoded.index(b"VP8 ") + 14
    return encoded[:at] + struct.pack("<HH", 16383, 16383) + encoded[at + 4 :]


def _jpeg_with_dimensions(width: int, height: int) -> bytes:
    """A small progressive JPEG that claims to have `width` x `height` pixels."""
    encoded = small(progressive=True)
    at = encoded.index(b"\xff\xc2") + 5
    return encoded[:at] + struct.pack(">HH", height, width) + encoded[at + 4 :]


def _flat_webp() -> bytes:
    return _encoded(Image.new("RGB", (5000, 5000), "orange"), "WEBP", lossless=True, quality=0, method=0)


def _encoded(image: Image.Image, format: str, **options: object) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, format, **options)
    return encoded.getvalue()


def _cached(name: str, make: Callable[[], bytes]) -> bytes:
    file = Path(OUTPUT / "images" / name)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(make())
    return file.read_bytes()
