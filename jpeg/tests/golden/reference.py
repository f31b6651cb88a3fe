"""What the golden scripts share: a test image of every frequency, and Pillow's answer for a file."""

import numpy as np
from PIL import Image

SCALES = (1, 2, 4, 8)


def test_image(width, height, seed):
    """Waves, edges and a little noise: every frequency, in every channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [np.sin(x * a + y * b + c) for a, b, c in rng.uniform(0.02, 0.9, (3, 3))]
    edges = ((x // 11 + y // 7) % 2)[..., None] * rng.uniform(-60, 60, 3)
    noise = rng.normal(0, 9, (height, width, 3))
    return np.clip(128 + 90 * np.stack(waves, -1) + edges + noise, 0, 255).astype(np.uint8)


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest


def decode(path, scale):
    """The whole image divided by `scale`, or None where `draft` would not do that."""
    with Image.open(path) as image:
        width, height = image.size
        if scale > 1:
            image.draft(None, (max(width // scale, 1), max(height // scale, 1)))
        if image.size != (-(-width // scale), -(-height // scale)):
            return None
        return np.asarray(image.convert("RGB"))
