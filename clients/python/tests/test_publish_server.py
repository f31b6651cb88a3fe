"""Publishing and feedback on the real server: a trained model is served at once, and kept images train the next one."""

import pytest
from imageclassifier import Client, InvalidRequest, Unauthenticated
from PIL import Image

from own_server import PUBLISHER, READER, plain, serve, token_file, train, train_on


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("publish")
    train(folder / "photographs", folder / "colours")
    (folder / "models").mkdir()
    return folder


@pytest.fixture(scope="module")
def own_server(folder):
    with serve(folder, "--token-file", token_file(folder), "--feedback-dir", folder / "feedback") as address:
        yield address


@pytest.fixture
def client(own_server):
    with Client(own_server, token=PUBLISHER) as client:
        yield client


def test_a_published_model_is_served_at_once(client, folder):
    first = client.publish(folder / "colours", name="paint")
    assert (first.name, first.version, first.state, first.classes, first.is_current) == ("paint", 1, "serving", 2, True)
    assert client.classify(plain("red"), model="paint").model_revision == first.revision
    assert client.publish(folder / "colours", name="paint", version=5).version == 5
    assert [model.version for model in client.models() if model.name == "paint"] == [5, 1]
    assert (folder / "models" / "paint" / "5" / "model.safetensors").exists()


def test_the_folders_name_is_the_models_name(client, folder):
    assert client.publish(folder / "colours").name == "colours"


def test_rejects_models_that_cannot_be_used(client, folder, tmp_path):
    for file, content in (("config.json", b"{}"), ("model.safetensors", b"")):
        (tmp_path / file).write_bytes(content)
    with pytest.raises(InvalidRequest) as raised:
        client.publish(tmp_path, name="broken")
    assert (raised.value.reason, raised.value.metadata["model"]) == ("MODEL_UNUSABLE", "broken")
    client.publish(folder / "colours", name="twice", version=2)
    with pytest.raises(InvalidRequest, match="MODEL_UNUSABLE"):
        client.publish(folder / "colours", name="twice", version=2)


def test_only_some_tokens_may_publish(own_server, folder):
    with Client(own_server, token=READER) as client, pytest.raises(Unauthenticated) as raised:
        client.publish(folder / "colours", name="forbidden")
    assert raised.value.reason == "PERMISSION_DENIED"


def test_kept_images_are_photographs_to_train_on(client, folder, tmp_path):
    for label, colour in {"blue": (20, 40, 200), "grey": (120, 120, 120)}.items():
        for shade in range(3):
            client.feedback(Image.new("RGB", (64, 64), tuple(value + 12 * shade for value in colour)), label)
    assert client.accepts_feedback()
    train_on(folder / "feedback", tmp_path / "paint")
    assert client.publish(tmp_path / "paint", name="kept").classes == 2
    assert client.classify(Image.new("RGB", (64, 64), (25, 45, 205)), model="kept").label == "blue"
    with pytest.raises(InvalidRequest) as raised:
        client.feedback(plain("red"), " ")
    assert raised.value.reason == "LABEL_MALFORMED"


def test_servers_without_the_options_say_so(server, client, folder):
    with Client(server) as plain_server:
        assert not plain_server.accepts_feedback()
        with pytest.raises(InvalidRequest) as raised:
            plain_server.feedback(plain("red"), "red")
        assert raised.value.reason == "NOT_ENABLED"
        with pytest.raises(InvalidRequest) as raised:
            plain_server.publish(folder / "colours")
        assert raised.value.reason == "NOT_ENABLED"
