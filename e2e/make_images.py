"""Makes the images of `images/`, in formats that neither Chromium nor Node can write.

    python3 make_images.py   needs Pillow 11.3 or later
"""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
COFFEE = HERE.parent / "model/tests/golden/photos/coffee.png"
SIZE = (300, 200)


def main() -> None:
    folder = HERE / "images"
    folder.mkdir(exist_ok=True)
    coffee = Image.open(COFFEE).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
    coffee.save(folder / "coffee.avif", quality=50)


if __name__ == "__main__":
    main()
