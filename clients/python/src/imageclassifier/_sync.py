"""The client for scripts and threads."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ._answer import Answer, Limits, Model, Result
from ._channel import Server, authorization
from ._error import ClassifierError, from_call, unanswered
from ._picture import Picture
from ._proto import image_classifier_pb2 as pb
from ._proto.image_classifier_pb2_grpc import ImageClassifierStub
from ._request import Batch, Item, Options
from ._retry import Retry
from ._sync_stream import Stream

_T = TypeVar("_T")


class Client:
    """Calls one server, over one connection, from any number of threads.

    `server` is "host:port", or "https://host:port" for TLS: then `ca` is a file with the authorities to trust instead of the
    machine's, `certificate` and `key` are files for a server that asks who calls. `token` is an access token. What fails for
    a passing reason is sent again up to `retries` times, at the server's hint. `timeout` is in seconds, for a call with all
    its retries.
    """

    def __init__(
        self,
        server: str = "localhost:50051",
        *,
        token: str | None = None,
        ca: str | os.PathLike[str] | None = None,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        timeout: float | None = 30.0,
        retries: int = 3,
    ) -> None:
        self._channel = Server.at(server, ca, certificate, key).channel()
        self._stub = ImageClassifierStub(self._channel)
        self._metadata = authorization(token)
        self._timeout = timeout
        self._retries = retries
        self._limits: Limits | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and what is under way on it."""
        self._channel.close()

    def classify(
        self,
        picture: Picture,
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        timeout: float | None = None,
    ) -> Answer:
        """What `picture` shows. `top_k` of 0 means the server's default, 5. Raises ClassifierError."""
        request = Options(top_k, model, explain).request(picture)
        return Answer._from(self._call(self._stub.Classify, request, self._retry(timeout)))

    def classify_batch(
        self,
        pictures: Iterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        timeout: float | None = None,
    ) -> list[Result]:
        """What each of `pictures` shows, in their order; in as few calls as the server's limits allow. A picture that has no
        answer has its error in its place; only what stops all of them is raised, as ClassifierError. For very many, or to
        see answers as they come: `classify_stream`."""
        retry = self._retry(timeout)
        batch = Batch(pictures, Options(top_k, model, explain), self._known_limits(retry))
        while True:
            for indices, message in batch.messages():
                call = self._stub.ClassifyBatch(message, timeout=retry.timeout(), metadata=self._metadata)
                try:
                    for outcome in call:
                        batch.answered(indices, outcome)
                except grpc.RpcError as error:
                    failure = _error(error)
                    if not failure.retryable:
                        raise failure from error
                else:
                    failure = unanswered()
                batch.failed(indices, failure)
            delay = batch.again(retry.delay)
            if delay is None:
                return batch.results()
            time.sleep(delay)
            retry.attempted()

    def classify_stream(
        self,
        pictures: Iterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        in_flight: int = 32,
        timeout: float | None = None,
    ) -> Iterator[Result]:
        """What each of `pictures` shows, as the answers come and in any order, over one bidirectional stream. At most
        `in_flight` pictures are in memory; `pictures` may be endless, and is asked from another thread. A picture that has
        no answer has its error in its place; only what stops the stream is raised, as ClassifierError. `timeout` is for the
        whole stream; there is none unless given."""
        retry = Retry(self._retries, timeout)
        limits = self._known_limits(self._retry(timeout))
        stream = Stream(pictures, Options(top_k, model, explain), limits, in_flight, self._retries)
        return stream.results(self._stub.ClassifyStream, self._metadata, retry)

    def model(self, name: str = "", *, timeout: float | None = None) -> Model:
        """Describes the model `name`, or the server's default one."""
        return Model._from(self._call(self._stub.GetModel, pb.GetModelRequest(name=name), self._retry(timeout)))

    def health(self, *, timeout: float | None = 5.0) -> bool:
        """Whether the server takes calls now. Never raises for one that cannot be reached: it does not."""
        check = health_pb2_grpc.HealthStub(self._channel).Check
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=timeout, metadata=self._metadata)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _retry(self, timeout: float | None) -> Retry:
        return Retry(self._retries, self._timeout if timeout is None else timeout)

    def _known_limits(self, retry: Retry) -> Limits:
        if self._limits is None:
            self._limits = Model._from(self._call(self._stub.GetModel, pb.GetModelRequest(), retry)).limits
        return self._limits

    def _call(self, method: Callable[..., _T], request: object, retry: Retry) -> _T:
        while True:
            try:
                return method(request, timeout=retry.timeout(), metadata=self._metadata)
            except grpc.RpcError as error:
                failure = _error(error)
                delay = retry.delay(failure)
                if delay is None:
                    raise failure from error
            time.sleep(delay)
            retry.attempted()


def _error(error: grpc.RpcError) -> ClassifierError:
    assert isinstance(error, grpc.Call), "grpcio raises what is an error and a call"
    return from_call(error.code(), error.details(), error.initial_metadata(), error.trailing_metadata())
