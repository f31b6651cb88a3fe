"""What is sent to publish a model or to keep an image, and which errors lead to another attempt."""

import asyncio
import os

import grpc
import pytest
from imageclassifier import AsyncClient, Client, Unauthenticated, Unavailable

from conftest import OVERLOADED, status

LOST = status(grpc.StatusCode.UNAVAILABLE, "")
FORBIDDEN = status(grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")


@pytest.fixture
def model_dir(tmp_path):
    folder = tmp_path / "trees"
    folder.mkdir()
    # In one message, in several, and without bytes.
    files = {"config.json": b"{}", "model.safetensors": os.urandom(5_000_000), "LICENSE": b""}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder, files


def test_publishes_a_folders_files(scripted, model_dir):
    address, service = scripted
    folder, files = model_dir
    (folder / ".DS_Store").write_bytes(b"not a part of the model")
    (folder / "report.html").write_bytes(b"<p>")
    with Client(address) as client:
        assert (client.publish(folder).name, client.publish(str(folder), name="oaks", version=7).version) == ("trees", 7)
    expected = files | {"report.html": b"<p>"}
    assert service.published == [("trees", 0, expected), ("oaks", 7, expected)]


def test_a_folder_that_is_no_model_is_not_sent(scripted, model_dir):
    address, service = scripted
    folder, _ = model_dir
    (folder / "model.safetensors").unlink()
    with Client(address) as client, pytest.raises(FileNotFoundError, match="model.safetensors"):
        client.publish(folder)
    assert service.published == []


def test_publishing_is_retried_only_after_the_servers_hint(scripted, model_dir):
    address, service = scripted
    folder, files = model_dir
    with Client(address) as client:
        service.failures = [OVERLOADED]
        assert client.publish(folder).version == 1
        assert service.published == [("trees", 0, files)] * 2
        service.failures = [LOST, LOST]
        with pytest.raises(Unavailable):
            client.publish(folder)
        assert len(service.published) == 3
        service.failures = [FORBIDDEN]
        with pytest.raises(Unauthenticated) as raised:
            client.publish(folder)
    assert raised.value.reason == "PERMISSION_DENIED"


def test_feedback_sends_image_and_label_and_is_retried(scripted, tmp_path):
    address, service = scripted
    (tmp_path / "a.jpg").write_bytes(b"cat")
    service.failures = [LOST]
    with Client(address) as client:
        client.feedback(tmp_path / "a.jpg", "Katze")
        assert service.kept == [(b"cat", "Katze")] * 2
        with pytest.raises(FileNotFoundError):
            client.feedback(tmp_path / "b.jpg", "Katze")


def test_embed_is_retried(scripted):
    address, service = scripted
    service.failures = [OVERLOADED]
    with Client(address) as client:
        answer = client.embed(b"cat", model="trees@3")
    assert (list(answer.embedding), answer.model_revision, answer.crop) == ([0.5, 2.0], "trees@3", None)
    assert service.seen == [b"cat"] * 2


def test_states_and_training_of_newer_servers_are_no_error(scripted):
    address, _ = scripted
    with Client(address) as client:
        models = client.models()
    assert [model.state for model in models] == ["serving", "unloaded", "unknown"]
    assert [model.training for model in models] == [None] * 3


def test_asyncio_publishes_the_same(scripted, model_dir):
    address, service = scripted
    folder, files = model_dir

    async def scenario():
        async with AsyncClient(address) as client:
            service.failures = [OVERLOADED]
            assert (await client.publish(folder, version=3)).version == 3
            assert service.published == [("trees", 3, files)] * 2
            service.failures = [LOST]
            with pytest.raises(Unavailable):
                await client.publish(folder)
            service.failures = [LOST]
            assert not await client.accepts_feedback()
            await client.feedback(b"cat", "Katze")
            assert service.kept == [(b"cat", "Katze")] * 2

    asyncio.run(scenario())
