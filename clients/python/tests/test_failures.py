"""Errors, retries and bounds, against a server that fails on purpose."""

import asyncio
import itertools
import subprocess
import time
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from imageclassifier._proto import image_classifier_pb2_grpc as pb_grpc
from imageclassifier import AsyncClient, Client, ClassifierError, DeadlineExceeded, InvalidRequest, Unavailable

from conftest import OVERLOADED, Scripted, status


def test_errors_carry_code_and_reason(scripted):
    address, _ = scripted
    with Client(address) as client, pytest.raises(InvalidRequest) as raised:
        client.classify(b"")
    error = raised.value
    assert (error.reason, error.code.name, error.retryable, error.retry_after) == (
        "IMAGE_EMPTY",
        "INVALID_ARGUMENT",
        False,
        None,
    )
    assert error.metadata == {"hint": "yes"}
    assert str(error) == "IMAGE_EMPTY: because of IMAGE_EMPTY"


def test_retries_after_the_servers_hint(scripted):
    address, service = scripted
    service.failures = [OVERLOADED, OVERLOADED]
    since = time.monotonic()
    with Client(address) as client:
        assert client.classify(b"cat").label == "cat"
    assert service.seen == [b"cat"] * 3
    assert time.monotonic() - since >= 0.4


def test_stops_after_the_allowed_retries(scripted):
    address, service = scripted
    service.failures = [OVERLOADED] * 9
    with Client(address, retries=1) as client, pytest.raises(Unavailable) as raised:
        client.classify(b"cat")
    assert len(service.seen) == 2
    assert (raised.value.reason, raised.value.retry_after) == ("OVERLOADED", 0.2)


def test_never_waits_past_the_deadline(scripted):
    address, service = scripted
    service.failures = [status(grpc.StatusCode.UNAVAILABLE, "NOT_READY", retry_after_ms=900)] * 9
    since = time.monotonic()
    with Client(address, timeout=0.8) as client, pytest.raises(Unavailable):
        client.classify(b"cat")
    assert time.monotonic() - since < 0.8


def test_an_unreachable_server_is_unavailable():
    with Client("127.0.0.1:1", retries=1) as client, pytest.raises(Unavailable) as raised:
        client.classify(b"cat", timeout=5)
    assert raised.value.reason == ""
    with Client("127.0.0.1:1") as client:
        assert not client.health()


def test_sends_the_token(scripted):
    address, service = scripted
    with Client(address, token="secret") as client:
        client.classify(b"cat")
    assert service.metadata["authorization"] == "Bearer secret"


def test_tls_trusts_only_the_given_authorities(tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    server = grpc.server(futures.ThreadPoolExecutor(1))
    pb_grpc.add_ImageClassifierServicer_to_server(Scripted(), server)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    address = f"https://localhost:{server.add_secure_port('localhost:0', credentials)}"
    server.start()
    with Client(address, ca=certificate) as client:
        assert client.classify(b"cat").label == "cat"
    with Client(address, retries=0) as client, pytest.raises(Unavailable):
        client.classify(b"cat", timeout=5)
    server.stop(None)


def test_batch_is_split_to_the_servers_limits_and_keeps_order(scripted):
    address, service = scripted
    with Client(address) as client:
        results = client.classify_batch([("a", b"one"), b"two", b"", b"x" * 101, Path("/nowhere"), ("f", b"six")])
    assert [result.index for result in results] == list(range(6))
    assert [result.id for result in results] == ["a", "", "", "", "", "f"]
    assert [result.answer and result.answer.label for result in results] == ["one", "two", None, None, None, "six"]
    assert results[2].error.reason == "IMAGE_EMPTY"
    assert results[3].error.metadata == {"bytes": "101", "bytes_max": "100"}
    assert isinstance(results[4].error, FileNotFoundError)
    with pytest.raises(InvalidRequest):
        results[2].unwrap()
    assert service.batches == [2, 2]


def test_batch_is_split_by_bytes(scripted):
    address, service = scripted
    service.batch_images_max = 1000
    with Client(address) as client:
        labels = [result.unwrap().label for result in client.classify_batch([b"y" * 90] * 20)]
    assert labels == ["y" * 90] * 20
    assert sum(service.batches) == 20
    assert max(service.batches) * 90 <= 1000


def test_sends_only_the_failed_images_of_a_batch_again(scripted):
    address, service = scripted
    service.failures = [OVERLOADED]
    with Client(address) as client:
        labels = [result.unwrap().label for result in client.classify_batch([b"one", b"two"])]
    assert labels == ["one", "two"]
    assert service.batches == [2, 1]


def test_stream_returns_each_id(scripted):
    address, _ = scripted
    images = [(f"no {i}", str(i).encode()) for i in range(200)]
    with Client(address) as client:
        results = list(client.classify_stream(images, in_flight=7))
    assert sorted(result.index for result in results) == list(range(200))
    assert all(result.id == f"no {result.index}" and result.unwrap().label == str(result.index) for result in results)


def test_stream_continues_past_bad_images_and_retries_transient_errors(scripted):
    address, service = scripted
    service.failures = [OVERLOADED] * 2
    with Client(address) as client:
        results = list(client.classify_stream([b"one", b"", Path("/nowhere"), b"x" * 101, b"two"]))
    by_index = {result.index: result for result in results}
    assert len(results) == 5
    assert [by_index[i].unwrap().label for i in (0, 4)] == ["one", "two"]
    assert by_index[1].error.reason == "IMAGE_EMPTY"
    assert isinstance(by_index[2].error, FileNotFoundError)
    assert by_index[3].error.reason == "IMAGE_TOO_LARGE"
    assert sorted(service.seen) == sorted([b"one", b"one", b"", b"two", b"two"])


def test_stream_survives_a_server_restart(scripted):
    address, service = scripted
    service.stream_dies_after = [3, 5]
    with Client(address) as client:
        labels = sorted(int(r.unwrap().label) for r in client.classify_stream(str(i).encode() for i in range(50)))
    assert labels == list(range(50))


def test_stream_stops_after_the_allowed_retries(scripted):
    address, service = scripted
    service.stream_dies_after = [0] * 9
    with Client(address, retries=2) as client, pytest.raises(Unavailable):
        list(client.classify_stream([b"one"]))
    assert len(service.stream_dies_after) == 6


def test_stream_takes_at_most_in_flight_images(scripted):
    address, _ = scripted
    taken = itertools.count()
    latest = 0

    def endless():
        nonlocal latest
        for latest in taken:
            yield b"cat"

    with Client(address) as client:
        results = client.classify_stream(endless(), in_flight=4)
        for _ in range(10):
            next(results)
        time.sleep(0.3)
        # 10 were returned; the last of them counts until the next is requested.
        assert latest + 1 <= 10 + 4
        results.close()


def test_an_iterator_that_raises_ends_the_stream(scripted):
    address, _ = scripted

    def broken():
        yield b"one"
        raise RuntimeError("no more film")

    with Client(address) as client, pytest.raises(RuntimeError, match="no more film"):
        list(client.classify_stream(broken()))
    with Client(address) as client, pytest.raises(TypeError, match="an image must be"):
        list(client.classify_stream([17]))


def test_stream_has_an_optional_deadline(scripted):
    address, _ = scripted

    def slow():
        yield b"one"
        time.sleep(1)
        yield b"two"

    with Client(address) as client:
        results = client.classify_stream(slow(), timeout=0.4)
        assert next(results).unwrap().label == "one"
        with pytest.raises(DeadlineExceeded):
            next(results)


def test_asyncio_behaves_the_same(scripted):
    address, service = scripted

    async def source():
        for label in [b"one", b"", Path("/nowhere"), b"two"]:
            yield label

    async def scenario():
        async with AsyncClient(address, token="secret") as client:
            service.failures = [OVERLOADED]
            assert (await client.classify(b"cat")).label == "cat"
            assert service.metadata["authorization"] == "Bearer secret"
            with pytest.raises(InvalidRequest):
                await client.classify(b"")

            service.failures = [OVERLOADED]
            batch = await client.classify_batch([b"one", b"", b"three"])
            assert [result.answer and result.answer.label for result in batch] == ["one", None, "three"]

            service.failures = [OVERLOADED]
            service.stream_dies_after = [2]
            results = {result.index: result async for result in client.classify_stream(source())}
            assert [results[i].unwrap().label for i in (0, 3)] == ["one", "two"]
            assert results[1].error.reason == "IMAGE_EMPTY"
            assert isinstance(results[2].error, FileNotFoundError)

            many = [result async for result in client.classify_stream((b"cat" for _ in range(300)), in_flight=5)]
            assert len(many) == 300

            async for _ in client.classify_stream(b"cat" for _ in itertools.count()):
                break
        async with AsyncClient("127.0.0.1:1", retries=0) as client:
            assert not await client.health()
            with pytest.raises(ClassifierError):
                await client.classify(b"cat")

    asyncio.run(scenario())


def test_asyncio_stream_takes_at_most_in_flight_images(scripted):
    address, _ = scripted
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b"cat"

    async def scenario():
        async with AsyncClient(address) as client:
            results = client.classify_stream(endless(), in_flight=4)
            for _ in range(10):
                await anext(results)
            await asyncio.sleep(0.3)
            assert taken <= 10 + 4
            await results.aclose()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "arguments", [("ftp://host",), {"ca": "x"}, {"certificate": "x"}, {"certificate": "x", "key": "y"}], ids=str
)
def test_rejects_invalid_addresses(arguments):
    with pytest.raises(ValueError):
        Client(*arguments) if isinstance(arguments, tuple) else Client(**arguments)
