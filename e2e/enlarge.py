"""Makes 12-megapixel JPEGs of the labelled photographs, to see whether shrinking them changes answers.

    python3 enlarge.py IMAGECLASSIFIER_EVAL_DIR FOLDER
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

SIDE = 3464  # squared, 12 megapixels


def enlarge(source: Path, folder: Path) -> None:
    image = Image.open(source).convert("RGB")
    large = image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    large.save(folder / f"{source.stem}.jpg", quality=90)


def main() -> None:
    sources, folder = Path(sys.argv[1], "images"), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda source: enlarge(source, folder), sorted(sources.iterdir())))


if __name__ == "__main__":
    main()
