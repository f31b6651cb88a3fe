"""The pictures that everything is measured on, made of photographs in the repository."""

import io

from PIL import Image, ImageOps

from report import ROOT

GOLDEN = ROOT / "model/tests/golden/photos"
LARGE = (4000, 3000)


def jpeg_of_12_mp(photograph: Image.Image) -> bytes:
    """Cut to 4:3 and enlarged, as no photograph of that size can be in the repository."""
    large = ImageOps.fit(photograph.convert("RGB"), LARGE, Image.Resampling.BICUBIC)
    return encoded(large, "JPEG", quality=90)


def encoded(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def coffee() -> bytes:
    """600 x 400: a cup of espresso."""
    return encoded(Image.open(GOLDEN / "coffee.png").convert("RGB"), "JPEG", quality=90)


def coffee_progressive() -> bytes:
    """As the page's sample: smaller, and more work to decode."""
    return (ROOT / "web/samples/coffee.jpg").read_bytes()


def coffee_of_12_mp() -> bytes:
    return jpeg_of_12_mp(Image.open(GOLDEN / "coffee.png"))
