"""Pillow's resizing of two photographs, for each filter and framing that imported networks have.

needs: pip install pillow numpy safetensors
usage: make_preprocessing.py    writes preprocessing.safetensors: P.FILTER.FRAMING [48, 48, 3] u8 for each photograph P, RGB

`centre` is the centre square of side floor(0.875 * short side), left and top offset (w - c + 1) // 2, (h - c + 1) // 2;
`resized-centre` is the centre of the image whose shorter side was resized to floor(48 / 0.875), as torchvision's Resize and
CenterCrop take it; `squash` is the whole image.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

SIZE = 48
FOLDER = Path(__file__).parent
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "catmull-rom": Image.Resampling.BICUBIC,
    "lanczos3": Image.Resampling.LANCZOS,
}

resized = {}
for name in ("chelsea", "coffee"):
    image = Image.open(FOLDER / f"photos/{name}.png").convert("RGB")
    width, height = image.size
    side = int(0.875 * min(width, height))
    left, top = (width - side + 1) // 2, (height - side + 1) // 2
    framings = {"centre": image.crop((left, top, left + side, top + side)), "squash": image}
    shorter = int(SIZE / 0.875)
    sides = [shorter * side // min(width, height) for side in image.size]
    left, top = (round((side - SIZE) / 2) for side in sides)
    for filter_name, resampling in FILTERS.items():
        for framing, part in framings.items():
            resized[f"{name}.{filter_name}.{framing}"] = np.asarray(part.resize((SIZE, SIZE), resampling))
        centre = image.resize(sides, resampling).crop((left, top, left + SIZE, top + SIZE))
        resized[f"{name}.{filter_name}.resized-centre"] = np.asarray(centre)
save_file(resized, FOLDER / "preprocessing.safetensors")
