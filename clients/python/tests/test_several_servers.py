"""Several servers: requests take turns, survive the loss of one, and retries stay within a budget."""

import asyncio
import socket
import threading
import time
from collections import Counter
from concurrent import futures

import grpc
import pytest
from imageclassifier import AsyncClient, Client, InvalidRequest, RetryBudget, Unavailable
from imageclassifier._pool import Pool, backoff

from conftest import OVERLOADED, Scripted, serve_scripted, status
from named_server import Named, process
from own_server import serve

NOT_READY = status(grpc.StatusCode.UNAVAILABLE, "NOT_READY", retry_after_ms=1)
GRACEFUL = (("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 5000))


@pytest.fixture
def two():
    with serve_scripted(Named("a")) as (a, _), serve_scripted(Named("b")) as (b, _):
        yield [a, b]


@pytest.fixture(params=["list", "name"])
def servers(request, two):
    """As a list, and as the addresses that gRPC finds for one name."""
    return two if request.param == "list" else "ipv4:" + ",".join(two)


def load(client, seconds, threads=8):
    """Answers of concurrent requests by server; any error is raised."""
    end = time.monotonic() + seconds

    def requests():
        labels = Counter()
        while time.monotonic() < end:
            labels[client.classify(b"cat").label] += 1
        return labels

    with futures.ThreadPoolExecutor(threads) as pool:
        return sum((future.result() for future in [pool.submit(requests) for _ in range(threads)]), Counter())


def test_servers_take_turns(servers):
    with Client(servers) as client:
        client.classify(b"cat")
        time.sleep(0.2)  # until gRPC is connected to both
        labels = Counter(client.classify(b"cat").label for _ in range(100))
    assert min(labels["a"], labels["b"]) >= 40, labels


def test_servers_take_turns_in_asyncio(two):
    async def scenario():
        async with AsyncClient(two) as client:
            assert not await client.health()  # these servers have no health service
            return Counter([(await client.classify(b"cat")).label for _ in range(100)])

    assert asyncio.run(scenario()) == {"a": 50, "b": 50}


@pytest.mark.parametrize("kind", ["list", "name"])
def test_a_server_that_dies_costs_no_request_and_comes_back(kind):
    with process("a") as (a, first), process("b") as (b, _):
        with Client([a, b] if kind == "list" else f"ipv4:{a},{b}") as client:
            assert set(load(client, 0.5)) == {"a", "b"}
            threading.Timer(0.3, first.kill).start()
            assert set(load(client, 1)) == {"a", "b"}
            assert set(load(client, 0.3)) == {"b"}
            with process("a", a):
                # It is set aside for 5 seconds at most, and a quarter of that.
                assert set(load(client, 6.5, threads=2)) == {"a", "b"}


def test_connections_that_end_cost_no_request():
    with serve_scripted(Named("a"), options=GRACEFUL) as (a, _), serve_scripted(Named("b"), options=GRACEFUL) as (b, _):
        with Client([a, b]) as client:
            labels = load(client, 2)
    assert min(labels["a"], labels["b"]) >= sum(labels.values()) / 4, labels


def test_connections_of_the_real_server_that_end_cost_no_request(tmp_path):
    (tmp_path / "models").mkdir()
    with serve(tmp_path, "--connection-age-max", "0.3") as address, Client(address) as client:

        def requests(_):
            return sum(bool(client.models()) for _ in range(150))

        since = time.monotonic()
        with futures.ThreadPoolExecutor(4) as pool:
            while time.monotonic() - since < 2:
                assert list(pool.map(requests, range(4))) == [150] * 4


def test_a_stream_moves_to_another_server(two):
    dead = Named("dead")
    dead.stream_dies_after = [3] * 99
    with serve_scripted(dead) as (address, _), Client([address, two[0]]) as client:
        labels = Counter(r.unwrap().label for r in client.classify_stream((b"cat" for _ in range(50)), in_flight=4))
    assert set(labels) <= {"a", "dead"} and labels["a"] >= 40, labels


def test_a_batch_moves_to_another_server(two):
    with Client(["127.0.0.1:1", two[1]]) as client:
        for _ in range(4):
            assert [r.unwrap().label for r in client.classify_batch([b"cat"] * 5)] == ["b"] * 5


def attempts_in_an_outage(budget):
    service = Scripted()
    service.failures = [NOT_READY] * 9999
    with serve_scripted(service) as (address, _), Client(address, retries=3, retry_budget=budget) as client:

        def request(_):
            with pytest.raises(Unavailable):
                client.classify(b"cat")

        with futures.ThreadPoolExecutor(10) as pool:
            list(pool.map(request, range(40)))
    return len(service.seen)


def test_the_budget_stops_retries_in_an_outage():
    assert 40 < attempts_in_an_outage(RetryBudget(max_tokens=20)) <= 40 + 10


def test_without_a_budget_every_request_is_retried():
    assert attempts_in_an_outage(None) == 40 * 4


def test_an_infinite_budget_always_allows_retries():
    pool = Pool(["a"], RetryBudget(max_tokens=float("inf")))
    pool.failed()
    assert pool.allows_retries
    pool.succeeded()
    assert pool.allows_retries


def test_the_budget_is_that_of_a6():
    pool = Pool(["a"], RetryBudget(max_tokens=10, token_ratio=0.5))
    for _ in range(4):
        pool.failed()
    assert pool.allows_retries  # 6 of 10
    pool.failed()
    assert not pool.allows_retries  # half
    pool.succeeded()
    assert pool.allows_retries
    for _ in range(100):
        pool.failed()  # never below 0
    for _ in range(11):
        assert not pool.allows_retries
        pool.succeeded()
    assert pool.allows_retries


def test_images_that_a_stream_rejects_cost_nothing():
    service = Scripted()
    service.failures = [OVERLOADED] * 4
    with serve_scripted(service) as (address, _), Client(address, retry_budget=RetryBudget(max_tokens=2)) as client:
        assert [r.unwrap().label for r in client.classify_stream([b"one"] * 4)] == ["one"] * 4


def test_servers_that_fail_are_set_aside():
    now = 0.0
    pool = Pool(["a", "b", "c"], None, lambda: now)
    bad = pool.next()
    pool.unavailable(bad, None)
    assert bad not in [pool.next() for _ in range(6)]
    now = 0.13  # one request tries it
    assert [pool.next() for _ in range(6)].count(bad) == 1
    pool.unavailable(bad, None)
    now += 0.13  # twice as long
    assert bad not in [pool.next() for _ in range(6)]
    now += 0.13
    assert [pool.next() for _ in range(6)].count(bad) == 1
    pool.answered(bad)
    assert [pool.next() for _ in range(6)].count(bad) == 2
    for index in range(3):
        pool.unavailable(index, 1.0 + index)
    assert not pool.is_any_available
    assert pool.next() == 0  # back first


def test_without_retries_a_request_moves_to_another_server(two):
    stopping = Scripted()
    stopping.failures = [NOT_READY] * 99
    with serve_scripted(stopping) as (address, _), Client([address, two[0]], retries=0) as client:
        assert [client.classify(b"cat").label for _ in range(4)] == ["a"] * 4
    assert stopping.seen


def test_health_asks_all_servers_at_once():
    async def of_asyncio(servers):
        async with AsyncClient(servers) as client:
            return await client.health(timeout=0.5)

    # The system accepts connections, and nobody answers.
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        servers = [f"127.0.0.1:{silent.getsockname()[1]}" for silent in (a, b)]
        since = time.monotonic()
        with Client(servers) as client:
            assert not client.health(timeout=0.5)
        assert time.monotonic() - since < 0.9
        since = time.monotonic()
        assert not asyncio.run(of_asyncio(servers))
        assert time.monotonic() - since < 0.9


def test_waits_grow_and_are_never_shorter_than_the_hint():
    for failures, hint, least in [(0, None, 0.1), (3, None, 0.8), (99, None, 5.0), (0, 0.7, 0.7), (4, 0.7, 1.6), (4, 60.0, 60.0), (0, 1e18, 86_400.0)]:
        assert least <= backoff(failures, hint) <= least * 1.25


def test_rejects_invalid_budgets_and_empty_lists(two):
    for arguments in ({"max_tokens": 0}, {"max_tokens": float("nan")}, {"token_ratio": -1}):
        with pytest.raises(ValueError):
            RetryBudget(**arguments)
    with pytest.raises(ValueError):
        Client([])
    with Client(two) as client, pytest.raises(InvalidRequest):
        client.classify(b"")
