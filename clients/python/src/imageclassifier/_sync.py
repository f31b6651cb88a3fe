"""The client for scripts and threads."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ._answer import Answer, EmbedAnswer, Result
from ._budget import RetryBudget
from ._channel import authorization, servers
from ._deprecated import renamed_argument
from ._error import ClassifierError, from_call, unanswered
from ._image import ImageInput, encoded
from ._model import Limits, Model, ModelSummary
from ._pool import Pool
from ._proto import image_classifier_pb2 as pb
from ._proto.image_classifier_pb2_grpc import ImageClassifierStub
from ._publish import publish_requests
from ._request import Batch, Item, Options
from ._retry import Retry
from ._sync_stream import Stream


class Client:
    """A client for one server or several that are alike, for any number of threads.

    `server` is "host:port", or "https://host:port" for TLS, or a list of these. Requests take turns over all servers of a list, and
    over all addresses of a name. With TLS, `ca` is a file with the authorities to trust instead of the machine's; `certificate`
    and `key` are files for a server that requires client certificates. `token` is an access token. Transient errors are retried
    up to `retries` times, after the server's hint, at another server if there is one. `retry_budget` bounds the retries of all
    requests together; None means no bound. `timeout` is in seconds, for a request with all its retries.
    """

    def __init__(
        self,
        server: str | Sequence[str] = "localhost:50051",
        *,
        token: str | None = None,
        ca: str | os.PathLike[str] | None = None,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        timeout: float | None = 30.0,
        retries: int = 3,
        retry_budget: RetryBudget | None = RetryBudget(),
    ) -> None:
        self._channels = [at.channel() for at in servers(server, ca, certificate, key)]
        self._pool = Pool([ImageClassifierStub(channel) for channel in self._channels], retry_budget)
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
        """Closes the connections and cancels their requests."""
        for channel in self._channels:
            channel.close()

    @renamed_argument("picture", "image")
    def classify(
        self,
        image: ImageInput,
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        timeout: float | None = None,
    ) -> Answer:
        """Classifies `image`. A `top_k` of 0 means the server's default, 5. `model` is NAME or NAME@VERSION, by default the
        server's default model. `explain` requests a heatmap with each prediction, `embed` the image's features.

        Raises ClassifierError; OSError if a file cannot be read; TypeError or ValueError if `image` is not an image."""
        request = Options(top_k, model, explain, embed).request(image)
        return Answer._from(self._call("Classify", request, self._retry(timeout)))

    @renamed_argument("pictures", "images")
    def classify_batch(
        self,
        images: Iterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        timeout: float | None = None,
    ) -> list[Result]:
        """Classifies each of `images`, in as few requests as the server's limits allow. Returns one result per image, in the
        same order. An image that fails has its error in its result; only an error that stops all images is raised, as
        ClassifierError. For very many images, or to see results as they come, use `classify_stream`."""
        retry = self._retry(timeout)
        batch = Batch(images, Options(top_k, model, explain, embed), self._known_limits(retry))
        while True:
            for indices, message in batch.messages():
                call = retry.server().ClassifyBatch(message, timeout=retry.timeout(), metadata=self._metadata)
                try:
                    for outcome in call:
                        batch.answered(indices, outcome)
                except grpc.RpcError as error:
                    failure = _error(error)
                    retry.failed(failure)
                    if not failure.retryable:
                        raise failure from error
                else:
                    retry.succeeded()
                    failure = unanswered()
                batch.failed(indices, failure)
            delay = batch.again(retry.delay)
            if delay is None:
                return batch.results()
            time.sleep(delay)
            retry.attempted()

    @renamed_argument("pictures", "images")
    def classify_stream(
        self,
        images: Iterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        in_flight: int = 32,
        timeout: float | None = None,
    ) -> Iterator[Result]:
        """Classifies each of `images` over one bidirectional stream. Results come as soon as they are ready, in any order. At
        most `in_flight` images are in memory. `images` may be endless; another thread iterates over it. An image that fails
        has its error in its result; only an error that stops the stream is raised, as ClassifierError. `timeout` is for the
        whole stream; by default there is none."""
        retry = Retry(self._pool, self._retries, timeout)
        limits = self._known_limits(self._retry(timeout))
        stream = Stream(images, Options(top_k, model, explain, embed), limits, in_flight, self._retries)
        return stream.results(self._metadata, retry)

    def model(self, name: str = "", *, timeout: float | None = None) -> Model:
        """Describes the model `name` (NAME or NAME@VERSION), or the server's default model."""
        return Model._from(self._call("GetModel", pb.GetModelRequest(name=name), self._retry(timeout)))

    def models(self, *, timeout: float | None = None) -> list[ModelSummary]:
        """Lists the server's models by name, with all versions of each, the highest first. NAME or NAME@VERSION is the `model`
        of the other methods."""
        listed = self._call("ListModels", pb.ListModelsRequest(), self._retry(timeout))
        return [ModelSummary._from(model) for model in listed.models]

    def embed(self, image: ImageInput, *, model: str = "", timeout: float | None = None) -> EmbedAnswer:
        """Computes the features of `image`, a vector to compare images by. For the classes too, in one pass of the network, use
        `classify` with `embed=True`. Raises as `classify` does."""
        request = pb.EmbedRequest(image_data=encoded(image), model=model)
        return EmbedAnswer._from(self._call("Embed", request, self._retry(timeout)))

    def publish(
        self,
        model_dir: str | os.PathLike[str],
        *,
        name: str | None = None,
        version: int = 0,
        timeout: float | None = None,
    ) -> ModelSummary:
        """Adds the model in the folder `model_dir`, which `imageclassifier train` wrote, to the server's models. `name` is by
        default the folder's name, and a `version` of 0 the one after the highest. Returns the new version, which is served from
        then on.

        Needs a token that may publish. Retried only if the server rejected the request with a hint: after other errors, such as a
        lost connection, `models` tells whether the version was added. Raises ClassifierError; OSError if a file cannot be read.
        """
        requests = publish_requests(model_dir, name, version)
        published = self._call("PublishModel", requests, self._retry(timeout, hinted_only=True))
        return ModelSummary._from(published.model)

    def feedback(self, image: ImageInput, label: str, *, timeout: float | None = None) -> None:
        """Keeps `image` on the server with its correct `label`, for training. It may be a new label. Needs a
        server with a folder for such images. Raises as `classify` does."""
        request = pb.FeedbackRequest(image_data=encoded(image), label=label)
        self._call("Feedback", request, self._retry(timeout))

    def accepts_feedback(self, *, timeout: float | None = None) -> bool:
        """Whether the server keeps the images of `feedback`."""
        listed = self._call("ListModels", pb.ListModelsRequest(), self._retry(timeout))
        return bool(listed.accepts_feedback)

    def health(self, *, timeout: float | None = 5.0) -> bool:
        """Whether the server accepts requests now; of a list, whether one does. False if it cannot be reached."""
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        checks = []
        for channel in self._channels:
            check = health_pb2_grpc.HealthStub(channel).Check.future
            checks.append(check(health_pb2.HealthCheckRequest(), timeout=timeout, metadata=self._metadata))
            checks[-1].add_done_callback(finished.put)
        try:
            return any(_is_serving(finished.get()) for _ in checks)
        finally:
            for call in checks:
                call.cancel()

    def _retry(self, timeout: float | None, *, hinted_only: bool = False) -> Retry[ImageClassifierStub]:
        timeout = self._timeout if timeout is None else timeout
        return Retry(self._pool, self._retries, timeout, hinted_only=hinted_only)

    def _known_limits(self, retry: Retry[ImageClassifierStub]) -> Limits:
        if self._limits is None:
            self._limits = Model._from(self._call("GetModel", pb.GetModelRequest(), retry)).limits
        return self._limits

    def _call(self, method: str, request: object, retry: Retry[ImageClassifierStub]) -> Any:
        while True:
            call = getattr(retry.server(), method)
            # grpcio takes a stream of requests as an iterator, which can be used once.
            message = iter(request) if isinstance(request, list) else request
            try:
                response = call(message, timeout=retry.timeout(), metadata=self._metadata)
            except grpc.RpcError as error:
                failure = _error(error)
                retry.failed(failure)
                delay = retry.delay(failure)
                if delay is None:
                    raise failure from error
            else:
                retry.succeeded()
                return response
            time.sleep(delay)
            retry.attempted()


def _is_serving(check: Any) -> bool:
    try:
        return bool(check.result().status == health_pb2.HealthCheckResponse.SERVING)
    except grpc.RpcError:
        return False


def _error(error: grpc.RpcError) -> ClassifierError:
    assert isinstance(error, grpc.Call), "grpcio raises errors that are calls"
    return from_call(error.code(), error.details(), error.initial_metadata(), error.trailing_metadata())
