"""From a path, bytes, a PIL image or a numpy array to the bytes of an image file. Pixels become PNG, which is lossless."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union, cast

if TYPE_CHECKING:
    import numpy
    import numpy.typing
    from PIL import Image

ImageInput: TypeAlias = Union[
    str,
    "os.PathLike[str]",
    bytes,
    bytearray,
    memoryview,
    "Image.Image",
    "numpy.typing.NDArray[numpy.uint8]",
]
"""A path, the bytes of an image file, a PIL image, or a numpy array of height x width x 3 values of type uint8: RGB, 0 to 255."""

_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
"""PIL's modes that PNG can store unchanged."""

_PNG_LEVEL = 1
"""zlib's level. Higher levels take longer and hardly make a photograph smaller."""


def encoded(image: ImageInput) -> bytes:
    """The bytes to send. Raises OSError if a file cannot be read, TypeError or ValueError if `image` is not an image."""
    if isinstance(image, bytes):
        return image
    if isinstance(image, (bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, (str, os.PathLike)):
        return Path(image).read_bytes()
    # Neither library is imported unless the caller uses it. PIL's images have an __array_interface__ too.
    if hasattr(image, "getexif"):
        return _image_to_png(cast("Image.Image", image))
    if hasattr(image, "dtype"):
        return _array_to_png(image)
    raise TypeError(f"an image must be a path, bytes, a PIL image or a numpy array, not {type(image).__name__}")


def _image_to_png(image: Image.Image) -> bytes:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode not in _PNG_MODES:
        upright = upright.convert("RGB")
    png = io.BytesIO()
    upright.save(png, "PNG", compress_level=_PNG_LEVEL)
    return png.getvalue()


def _array_to_png(pixels: numpy.typing.NDArray[numpy.uint8]) -> bytes:
    if pixels.dtype != "uint8" or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(
            f"an array must be height x width x 3 of uint8, not {pixels.shape} of {pixels.dtype}: "
            "for values from 0 to 1 use (255 * array).round().astype('uint8')"
        )
    import numpy

    height, width, _ = pixels.shape
    # PNG's filter 2 stores each row as its difference from the row above: photographs get a third smaller.
    rows = numpy.empty((height, 1 + 3 * width), numpy.uint8)
    rows[:, 0] = 2
    flat = pixels.reshape(height, 3 * width)
    rows[0, 1:] = flat[0]
    numpy.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), _PNG_LEVEL)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
