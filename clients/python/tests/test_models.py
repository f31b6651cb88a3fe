"""Models of one's own, on the real server: trained, listed, asked and replaced."""

import asyncio
import math
import shutil

import numpy
import pytest
from imageclassifier import AsyncClient, Client, InvalidRequest

from own_server import plain, serve, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    train(folder / "photographs", folder / "models" / "colours")
    for version in ("1", "2"):
        shutil.copytree(folder / "models" / "colours", folder / "models" / "versions" / version)
    (folder / "models" / "broken").mkdir()
    (folder / "models" / "broken" / "config.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def own_server(folder):
    with serve(folder) as address:
        yield address


@pytest.fixture
def client(own_server):
    with Client(own_server) as client:
        yield client


def cosine(a, b) -> float:
    a, b = numpy.asarray(a), numpy.asarray(b)
    return float(a @ b / numpy.linalg.norm(a) / numpy.linalg.norm(b))


def test_lists_every_version_of_every_model(client):
    models = {(model.name, model.version): model for model in client.models()}
    network = models.pop(("efficientnet-lite0", 0))
    assert (network.classes, network.is_default, network.training) == (1000, True, None)
    assert sorted(models) == [("broken", 0), ("colours", 0), ("versions", 1), ("versions", 2)]
    colours = models["colours", 0]
    assert (colours.state, colours.error, colours.classes, colours.base) == ("serving", "", 2, "efficientnet-lite0")
    assert colours.training["images"] == 6
    assert colours.revision == client.model("colours").revision
    assert colours.digest == client.model("colours").weights_digest
    assert (colours.is_current, colours.is_default) == (True, False)
    assert [models["versions", version].is_current for version in (1, 2)] == [False, True]
    broken = models["broken", 0]
    assert (broken.state, broken.classes, broken.revision) == ("broken", 0, "")
    assert broken.error


def test_a_model_of_ones_own_knows_its_classes_and_nothing_else(client, coffee):
    for label in ("green", "red"):
        answer = client.classify(plain(label, 1), model="colours")
        assert (answer.label, answer.model, answer.unknown) == (label, "colours", False)
        assert answer.known_score > 0.9
    answer = client.classify(coffee, model="colours")
    assert answer.unknown
    assert answer.known_score < 0.9
    for answer in (client.classify(coffee), client.classify(plain("red"))):
        assert (answer.unknown, answer.known_score, answer.embedding) == (False, None, None)


def test_a_version_is_part_of_the_models_name(client):
    assert client.classify(plain("red"), model="versions@1").label == "red"
    assert client.model("versions@1").name == "versions"
    with pytest.raises(InvalidRequest) as raised:
        client.classify(plain("red"), model="versions@3")
    assert raised.value.reason == "MODEL_UNKNOWN"


def test_features_are_those_of_the_network_for_every_model(client, coffee):
    embedded = client.embed(coffee)
    assert len(embedded.embedding) == 1280
    assert numpy.asarray(embedded.embedding).dtype == numpy.float32
    assert embedded.model_revision == client.model().revision
    assert embedded.request_id and embedded.timings.inference_ms > 0 and embedded.crop.side > 0
    assert client.embed(coffee.read_bytes(), model="colours").embedding == embedded.embedding
    for model in ("", "colours"):
        answer = client.classify(coffee, model=model, embed=True)
        assert answer.embedding == embedded.embedding
        hash(answer)  # answers stay hashable


def test_similar_images_have_similar_features(client, coffee):
    red, reddish, green = (client.embed(plain(*colour)).embedding for colour in (("red", 0), ("red", 1), ("green", 0)))
    assert math.isclose(cosine(red, red), 1, abs_tol=1e-5)
    assert cosine(red, reddish) > cosine(red, green) > cosine(red, client.embed(coffee).embedding)


def test_batches_and_streams_embed_too(client, coffee):
    images = [coffee, plain("red"), b"not an image"]
    expected = [client.embed(image).embedding for image in images[:2]]
    for results in (
        client.classify_batch(images, model="colours", embed=True),
        sorted(client.classify_stream(images, model="colours", embed=True), key=lambda r: r.index),
    ):
        assert [result.unwrap().embedding for result in results[:2]] == expected
        assert [result.unwrap().unknown for result in results[:2]] == [True, False]
        assert results[2].error.reason == "IMAGE_FORMAT_UNKNOWN"


def test_embed_rejects_what_classify_rejects(client):
    with pytest.raises(InvalidRequest) as raised:
        client.embed(b"")
    assert raised.value.reason == "IMAGE_EMPTY"
    with pytest.raises(InvalidRequest) as raised:
        client.embed(plain("red"), model="nothing")
    assert raised.value.reason == "MODEL_UNKNOWN"
    with pytest.raises(FileNotFoundError):
        client.embed("/nowhere.jpg")


def test_asyncio_has_the_same_models_and_features(own_server, client, coffee):
    async def scenario():
        async with AsyncClient(own_server) as asynchronous:
            assert await asynchronous.models() == client.models()
            embedded = (await asynchronous.embed(coffee)).embedding
            assert embedded == client.embed(coffee).embedding
            answer = await asynchronous.classify(coffee, model="colours", embed=True)
            assert (answer.unknown, answer.embedding) == (True, embedded)
            batch = await asynchronous.classify_batch([coffee], embed=True)
            stream = [result async for result in asynchronous.classify_stream([coffee], embed=True)]
            assert [result.unwrap().embedding for result in batch + stream] == [embedded] * 2

    asyncio.run(scenario())
