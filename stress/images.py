"""Pictures that are photographs, large, costly or a trap. What takes long to make is kept in target/stress/."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from report import MADE, ROOT

Image.MAX_IMAGE_PIXELS = None
ENCODED_BYTES_MAX = 10 << 20
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def photograph(name: str = "coffee.png") -> bytes:
    return (ROOT / "model/tests/golden/photos" / name).read_bytes()


def small(format: str = "JPEG", side: int = 224, **options: object) -> bytes:
    """A real picture of few bytes."""
    picture = Image.open(io.BytesIO(photograph())).convert("RGB").resize((side, side))
    return _encoded(picture, format, **options)


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
    """Few bytes and much work, so that a generator of load is idle while the server works: 6 MP of one colour a row."""
    return _kept("costly.png", lambda: _png(3000, 2000, colour=2, depth=8))


def large() -> dict[str, bytes]:
    """Pictures of 10 MiB that the server has to take, and whose decoders need the most memory."""

    def noise(format: str, side: int, **options: object) -> bytes:
        return _encoded(Image.frombytes("RGB", (side, side), os.urandom(3 * side * side)), format, **options)

    def smooth(format: str, **options: object) -> bytes:
        picture = Image.open(io.BytesIO(photograph())).convert("RGB").resize((5000, 5000))
        return _encoded(picture, format, **options)

    return {
        "PNG of noise": _kept("noise.png", lambda: noise("PNG", 1865)),
        "JPEG of noise": _kept("noise.jpg", lambda: noise("JPEG", 2950, quality=95)),
        "25 MP progressive JPEG": padded(
            _kept("progressive.jpg", lambda: smooth("JPEG", progressive=True, quality=60))
        ),
        "25 MP PNG of 16 bits": padded(_kept("deep.png", lambda: _png(5000, 5000, colour=6, depth=16))),
        "25 MP lossless WebP": padded(_kept("flat.webp", lambda: _flat_webp())),
    }


def bombs() -> dict[str, bytes]:
    """Few bytes that say they are more pixels than the server takes."""
    return {
        "50 MP lossless WebP of 38 bytes": _webp_head(10_000, 5_000),
        "268 MP frame in a WebP of 0.01 MP": _webp_with_larger_frame(),
        "50 MP progressive JPEG": _jpeg_of(10_000, 5_000),
        "49 MP PNG of 16 bits": _kept("bomb.png", lambda: _png(7_000, 7_000, colour=6, depth=16)),
        "25 MP + 1 PNG": _png(25_000_001, 1, colour=0, depth=8),
    }


def padded(picture: bytes) -> bytes:
    """Zeros after the end of a picture: decoders stop before them."""
    return picture + bytes(max(0, ENCODED_BYTES_MAX - len(picture)))


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
    """The container says 96 x 96, the lossy frame in it claims to be larger."""
    picture = Image.open(io.BytesIO(photograph())).convert("RGBA").resize((96, 96))
    picture.putalpha(128)
    encoded = _encoded(picture, "WEBP")
    at = encoded.index(b"VP8 ") + 14
    return encoded[:at] + struct.pack("<HH", 16383, 16383) + encoded[at + 4 :]


def _jpeg_of(width: int, height: int) -> bytes:
    """A small progressive JPEG that claims to be larger."""
    encoded = small(progressive=True)
    at = encoded.index(b"\xff\xc2") + 5
    return encoded[:at] + struct.pack(">HH", height, width) + encoded[at + 4 :]


def _flat_webp() -> bytes:
    return _encoded(Image.new("RGB", (5000, 5000), "orange"), "WEBP", lossless=True, quality=0, method=0)


def _encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    encoded = io.BytesIO()
    picture.save(encoded, format, **options)
    return encoded.getvalue()


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    file = Path(MADE / "pictures" / name)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(make())
    return file.read_bytes()
