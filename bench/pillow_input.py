"""The model's preprocessing of an encoded image with Pillow: centre square, bicubic, (x - 127) / 128."""

import io

import numpy as np
from PIL import Image, ImageOps

SIZE = 224


def prepare(encoded: bytes, draft: bool = True) -> np.ndarray:
    """The network's input, `[1, channel, height, width]`, each value from -127/128 to 1.

    With `draft` libjpeg decodes large JPEGs at a reduced scale, which is Pillow's fastest way.
    """
    image = Image.open(io.BytesIO(encoded))
    if draft:
        image.draft("RGB", (SIZE, SIZE))
    image = ImageOps.exif_transpose(image).convert("RGB")
    side = int(SIZE / (SIZE + 32) * min(image.size))
    left, top = ((length - side + 1) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return ((np.asarray(square, np.float32) - 127) / 128).transpose(2, 0, 1)[None]
