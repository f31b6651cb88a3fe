"""The names of 0.1 that go away in 0.2 still work, and warn."""

import asyncio
import importlib.metadata

import imageclassifier
import pytest
from imageclassifier import AsyncClient, Client
from imageclassifier._deprecated import RENAMED


def test_version_is_that_of_the_package():
    assert imageclassifier.__version__ == importlib.metadata.version("imageclassifier")


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_old_exports_are_the_new_ones_and_warn(old, new):
    with pytest.warns(DeprecationWarning, match=f"imageclassifier.{old} is deprecated: use {new}") as warned:
        assert getattr(imageclassifier, old) is getattr(imageclassifier, new)
    assert warned[0].filename == __file__


def test_old_exceptions_can_be_caught(scripted):
    address, _ = scripted
    with pytest.warns(DeprecationWarning):
        from imageclassifier import RequestRefused
    with Client(address) as client, pytest.raises(RequestRefused):
        client.classify(b"")


def test_unknown_exports_are_still_errors():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        imageclassifier.Nothing  # noqa: B018


def test_old_arguments_work_and_warn(scripted):
    address, _ = scripted
    with Client(address) as client:
        with pytest.warns(DeprecationWarning, match="the argument picture of classify is deprecated: use image") as warned:
            assert client.classify(picture=b"cat").label == "cat"
        assert warned[0].filename == __file__
        with pytest.warns(DeprecationWarning, match="use images"):
            assert client.classify_batch(pictures=[b"cat"])[0].unwrap().label == "cat"
        with pytest.warns(DeprecationWarning, match="use images"):
            assert next(client.classify_stream(pictures=[b"cat"])).unwrap().label == "cat"
        with pytest.raises(TypeError):
            client.classify(image=b"cat", picture=b"cat")


def test_old_arguments_work_in_asyncio(scripted):
    address, _ = scripted

    async def scenario():
        async with AsyncClient(address) as client:
            with pytest.warns(DeprecationWarning, match="use image"):
                assert (await client.classify(picture=b"cat")).label == "cat"
            with pytest.warns(DeprecationWarning, match="use images"):
                results = [result async for result in client.classify_stream(pictures=[b"cat"])]
            assert results[0].unwrap().label == "cat"

    asyncio.run(scenario())
