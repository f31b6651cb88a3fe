"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ._answer import Answer, EmbedAnswer, Result
from ._async_stream import AsyncStream
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


class AsyncClient:
    """Like `Client`, for asyncio. Create it while an event loop runs. Files are read and pixels encoded in a thread."""

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
        self._channels = [at.async_channel() for at in servers(server, ca, certificate, key)]
        self._pool = Pool([ImageClassifierStub(channel) for channel in self._channels], retry_budget)
        self._metadata = authorization(token)
        self._timeout = timeout
        self._retries = retries
        self._limits: Limits | None = None

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections and cancels their requests."""
        for channel in self._channels:
            await channel.close(None)

    @renamed_argument("picture", "image")
    async def classify(
        self,
        image: ImageInput,
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        timeout: float | None = None,
    ) -> Answer:
        """Like `Client.classify`."""
        request = await asyncio.to_thread(Options(top_k, model, explain, embed).request, image)
        return Answer._from(await self._call("Classify", request, self._retry(timeout)))

    @renamed_argument("pictures", "images")
    async def classify_batch(
        self,
        images: Iterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        timeout: float | None = None,
    ) -> list[Result]:
        """Like `Client.classify_batch`."""
        retry = self._retry(timeout)
        batch = Batch(images, Options(top_k, model, explain, embed), await self._known_limits(retry))
        while True:
            messages = batch.messages()
            while (message := await asyncio.to_thread(next, messages, None)) is not None:
                indices, request = message
                call = retry.server().ClassifyBatch(request, timeout=retry.timeout(), metadata=self._metadata)
                try:
                    async for outcome in call:
                        batch.answered(indices, outcome)
                except grpc.aio.AioRpcError as error:
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
            await asyncio.sleep(delay)
            retry.attempted()

    @renamed_argument("pictures", "images")
    async def classify_stream(
        self,
        images: Iterable[Item] | AsyncIterable[Item],
        *,
        top_k: int = 0,
        model: str = "",
        explain: bool = False,
        embed: bool = False,
        in_flight: int = 32,
        timeout: float | None = None,
    ) -> AsyncIterator[Result]:
        """Like `Client.classify_stream`; `images` may be asynchronous too."""
        retry = Retry(self._pool, self._retries, timeout)
        limits = await self._known_limits(self._retry(timeout))
        stream = AsyncStream(images, Options(top_k, model, explain, embed), limits, in_flight, self._retries)
        async for result in stream.results(self._metadata, retry):
            yield result

    async def model(self, name: str = "", *, timeout: float | None = None) -> Model:
        """Like `Client.model`."""
        return Model._from(await self._call("GetModel", pb.GetModelRequest(name=name), self._retry(timeout)))

    async def models(self, *, timeout: float | None = None) -> list[ModelSummary]:
        """Like `Client.models`."""
        listed = await self._call("ListModels", pb.ListModelsRequest(), self._retry(timeout))
        return [ModelSummary._from(model) for model in listed.models]

    async def embed(self, image: ImageInput, *, model: str = "", timeout: float | None = None) -> EmbedAnswer:
        """Like `Client.embed`."""
        request = pb.EmbedRequest(image_data=await asyncio.to_thread(encoded, image), model=model)
        return EmbedAnswer._from(await self._call("Embed", request, self._retry(timeout)))

    async def publish(
        self,
        model_dir: str | os.PathLike[str],
        *,
        name: str | None = None,
        version: int = 0,
        timeout: float | None = None,
    ) -> ModelSummary:
        """Like `Client.publish`."""
        requests = await asyncio.to_thread(publish_requests, model_dir, name, version)
        retry = self._retry(timeout, hinted_only=True)
        published = await self._call("PublishModel", requests, retry)
        return ModelSummary._from(published.model)

    async def feedback(self, image: ImageInput, label: str, *, timeout: float | None = None) -> None:
        """Like `Client.feedback`."""
        request = pb.FeedbackRequest(image_data=await asyncio.to_thread(encoded, image), label=label)
        await self._call("Feedback", request, self._retry(timeout))

    async def accepts_feedback(self, *, timeout: float | None = None) -> bool:
        """Like `Client.accepts_feedback`."""
        listed = await self._call("ListModels", pb.ListModelsRequest(), self._retry(timeout))
        return bool(listed.accepts_feedback)

    async def health(self, *, timeout: float | None = 5.0) -> bool:
        """Like `Client.health`."""
        checks = [asyncio.ensure_future(self._is_serving(channel, timeout)) for channel in self._channels]
        try:
            for check in asyncio.as_completed(checks):
                if await check:
                    return True
            return False
        finally:
            for pending in checks:
                pending.cancel()

    async def _is_serving(self, channel: grpc.aio.Channel, timeout: float | None) -> bool:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=timeout, metadata=self._metadata)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _retry(self, timeout: float | None, *, hinted_only: bool = False) -> Retry[ImageClassifierStub]:
        timeout = self._timeout if timeout is None else timeout
        return Retry(self._pool, self._retries, timeout, hinted_only=hinted_only)

    async def _known_limits(self, retry: Retry[ImageClassifierStub]) -> Limits:
        if self._limits is None:
            self._limits = Model._from(await self._call("GetModel", pb.GetModelRequest(), retry)).limits
        return self._limits

    async def _call(self, method: str, request: object, retry: Retry[ImageClassifierStub]) -> Any:
        while True:
            call = getattr(retry.server(), method)
            try:
                response = await call(request, timeout=retry.timeout(), metadata=self._metadata)
            except grpc.aio.AioRpcError as error:
                failure = _error(error)
                retry.failed(failure)
                delay = retry.delay(failure)
                if delay is None:
                    raise failure from error
            else:
                retry.succeeded()
                return response
            await asyncio.sleep(delay)
            retry.attempted()


def _error(error: grpc.aio.AioRpcError) -> ClassifierError:
    return from_call(error.code(), error.details(), error.initial_metadata(), error.trailing_metadata())
