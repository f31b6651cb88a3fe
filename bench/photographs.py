"""The images of the benchmarks, created from photographs in the repository."""

import io

from PIL import Image, ImageOps

from report import ROOT

GOLDEN = ROOT / "model/tests/golden/photos"
LARGE = (4000, 3000)


def jpeg_of_12_mp(photograph: Image.Image) -> bytes:
    """Crops the photograph to 4:3 and enlarges it, because a real one of that size is too large for the repository."""
    large = ImageOps.fit(photograph.convert("RGB"), LARGE, Image.Resampling.BICUBIC)
    return encoded(large, "JPEG", quality=90)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def coffee() -> bytes:
    """A cup of espresso, 600 x 400 pixels."""
    return encoded(Image.open(GOLDEN / "coffee.png").convert("RGB"), "JPEG", quality=90)


def coffee_progressive() -> bytes:
    """The page's sample: a progressive JPEG, which is smaller but takes longer to decode."""
    return (ROOT / "web/samples/coffee.jpg").read_bytes()


def coffee_of_12_mp() -> bytes:
    return jpeg_of_12_mp(Image.open(GOLDEN / "coffee.png"))
