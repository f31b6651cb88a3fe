"""From what a program has, a path, bytes, a PIL image or a numpy array, to an encoded picture. Nothing is lost: pixels
become PNG."""

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

Picture: TypeAlias = Union[
    str,
    "os.PathLike[str]",
    bytes,
    bytearray,
    memoryview,
    "Image.Image",
    "numpy.typing.NDArray[numpy.uint8]",
]
"""A path, an encoded picture, a PIL image, or a numpy array of height x width x 3 values of type uint8: RGB, 0 to 255."""

_PNG_MODES = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
"""Of PIL's modes those that PNG keeps as they are."""

_PNG_LEVEL = 1
"""zlib's: a photograph hardly gets smaller with more, and encoding is what takes the time."""


def encoded(picture: Picture) -> bytes:
    """The bytes to send. Raises OSError for a file that cannot be read, TypeError or ValueError for what is no picture."""
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, (bytearray, memoryview)):
        return bytes(picture)
    if isinstance(picture, (str, os.PathLike)):
        return Path(picture).read_bytes()
    # Neither library is imported for who does not use it; PIL's images offer an __array_interface__ too.
    if hasattr(picture, "getexif"):
        return _image_to_png(cast("Image.Image", picture))
    if hasattr(picture, "dtype"):
        return _array_to_png(picture)
    raise TypeError(f"a picture is a path, bytes, a PIL image or a numpy array, not {type(picture).__name__}")


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
            f"an array has to be height x width x 3 of uint8, not {pixels.shape} of {pixels.dtype}: "
            "for values of 0 to 1, (255 * array).round().astype('uint8')"
        )
    import numpy

    height, width, _ = pixels.shape
    # Each row as its difference from the one above, PNG's filter 2: photographs get a third smaller.
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
