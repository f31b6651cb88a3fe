"""The real server's results, for every kind of image."""

import asyncio

import numpy
import pytest
from imageclassifier import AsyncClient, Client, InvalidRequest
from PIL import Image


@pytest.fixture
def client(server):
    with Client(server) as client:
        yield client


def test_classifies(client, coffee):
    answer = client.classify(coffee, top_k=3)
    assert answer.label == answer.predictions[0].label == "espresso"
    assert answer.confidence == answer.predictions[0].confidence > 0.9
    assert len(answer.predictions) == 3
    assert answer.request_id and answer.model and answer.model_revision
    assert answer.timings.inference_ms > 0


def test_every_kind_of_image_has_the_same_result(client, coffee):
    expected = client.classify(coffee).confidence
    image = Image.open(coffee)
    pixels = numpy.asarray(image.convert("RGB"))
    reversed_twice = numpy.ascontiguousarray(pixels[::-1])[::-1]
    for image in (str(coffee), coffee.read_bytes(), memoryview(coffee.read_bytes()), image, pixels, reversed_twice):
        assert client.classify(image).confidence == expected


def test_applies_the_exif_orientation_of_pil_images(client, coffee, tmp_path):
    upright = Image.open(coffee).convert("RGB")
    turned = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # viewers rotate it by 90 degrees clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    assert client.classify(Image.open(turned)).confidence == client.classify(upright).confidence


def test_pil_modes(client, coffee):
    image = Image.open(coffee)
    for mode in ("L", "RGBA", "CMYK", "P"):
        assert client.classify(image.convert(mode)).predictions


@pytest.mark.parametrize(
    "array",
    [numpy.zeros((4, 4), "uint8"), numpy.zeros((4, 4, 3), "float32"), numpy.zeros((0, 4, 3), "uint8")],
    ids=["grey", "float", "empty"],
)
def test_rejects_arrays_that_are_not_images(client, array):
    with pytest.raises(ValueError, match="height x width x 3 of uint8"):
        client.classify(array)


def test_errors_carry_reason_and_metadata(client):
    with pytest.raises(InvalidRequest) as raised:
        client.classify(b"")
    assert raised.value.reason == "IMAGE_EMPTY"
    assert raised.value.request_id
    with pytest.raises(InvalidRequest) as raised:
        client.classify(b"x", model="кот 🐈")
    assert raised.value.reason == "MODEL_UNKNOWN"
    assert raised.value.metadata["model"] == "кот 🐈"


def test_model_and_health(client):
    model = client.model()
    assert client.health()
    assert len(model.labels) == 1000
    assert "image/jpeg" in model.limits.media_types
    assert len(model.weights_digest) == 64


def test_heatmap_lies_over_the_crop(client, coffee):
    answer = client.classify(coffee, top_k=2, explain=True)
    for prediction in answer.predictions:
        assert prediction.heatmap is not None
        assert len({len(row) for row in prediction.heatmap.rows}) == 1
    width, height = Image.open(coffee).size
    assert answer.crop is not None
    assert (answer.crop.picture_width, answer.crop.picture_height) == (width, height)
    assert client.classify(coffee).predictions[0].heatmap is None


def test_batch_and_stream(client, coffee):
    expected = client.classify(coffee).confidence
    images = [("good", coffee), ("bad", b"not an image"), ("missing", coffee / "nowhere"), ("again", coffee)] * 6
    for results in (client.classify_batch(images), sorted(client.classify_stream(images), key=lambda r: r.index)):
        assert [result.index for result in results] == list(range(len(images)))
        for (id, _), result in zip(images, results, strict=True):
            assert result.id == id
            if id in ("good", "again"):
                assert result.unwrap().confidence == expected
            elif id == "bad":
                assert isinstance(result.error, InvalidRequest)
                assert result.error.reason == "IMAGE_FORMAT_UNKNOWN"
            else:
                assert isinstance(result.error, OSError)


def test_asyncio(server, coffee):
    async def scenario():
        async with AsyncClient(server) as client:
            assert await client.health()
            expected = (await client.classify(coffee)).confidence
            assert (await client.model()).name
            results = await client.classify_batch([coffee] * 3)
            results += [result async for result in client.classify_stream([("id", coffee)] * 20)]
            assert [result.unwrap().confidence for result in results] == [expected] * 23

    asyncio.run(scenario())
