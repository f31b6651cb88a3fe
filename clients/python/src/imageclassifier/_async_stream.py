"""A stream of images, for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

import grpc

from ._answer import Result
from ._channel import Metadata
from ._error import from_call, unanswered
from ._flight import Flight
from ._model import Limits
from ._proto import image_classifier_pb2 as pb
from ._request import Item, Options, prepare
from ._retry import Retry


class AsyncStream:
    """One task takes images from the caller; each request has a task that sends and one that reads. All put their events into
    one queue."""

    def __init__(
        self,
        images: Iterable[Item] | AsyncIterable[Item],
        options: Options,
        limits: Limits,
        in_flight_max: int,
        retries: int,
    ) -> None:
        self._flight = Flight(in_flight_max, retries)
        self._images = images if isinstance(images, AsyncIterable) else _asynchronous(images)
        self._options = options
        self._limits = limits
        self._exhausted = False
        self._changed = asyncio.Condition()
        # Never longer than the images in flight plus two ends.
        self._events: asyncio.Queue[Result | pb.ClassifyStreamResponse | BaseException | None] = asyncio.Queue()

    async def results(self, metadata: Metadata, retry: Retry[Any]) -> AsyncIterator[Result]:
        """Results as they come. Closing this iterator cancels the stream."""
        taking = asyncio.create_task(self._take_images())
        calls: list[tuple[Any, list[asyncio.Task[None]]]] = []
        try:
            calls.append(self._begin(metadata, retry))
            while (event := await self._events.get()) is not None:
                final: Result | None
                if isinstance(event, pb.ClassifyStreamResponse):
                    if event.HasField("response"):
                        retry.succeeded()
                    retry.restart()
                    async with self._changed:
                        final = self._flight.answered(event, time.monotonic(), retry.allowed)
                        self._changed.notify_all()
                elif isinstance(event, Result):
                    final = event
                elif isinstance(event, grpc.aio.AioRpcError):
                    await _end(*calls.pop())
                    await self._wait(event, retry)
                    calls.append(self._begin(metadata, retry))
                    continue
                else:
                    raise event
                if final is not None:
                    async with self._changed:
                        self._flight.give_back()
                        self._changed.notify_all()
                    yield final
            if not self._exhausted or not self._flight.is_empty:
                raise unanswered()
        finally:
            for call in calls:
                await _end(*call)
            await _cancel(taking)

    def _begin(self, metadata: Metadata, retry: Retry[Any]) -> tuple[Any, list[asyncio.Task[None]]]:
        call = retry.server().ClassifyStream(timeout=retry.timeout(), metadata=metadata)
        return call, [asyncio.create_task(self._send(call)), asyncio.create_task(self._read(call))]

    async def _wait(self, error: grpc.aio.AioRpcError, retry: Retry[Any]) -> None:
        """After the connection was lost, prepares a new request for the images without a result."""
        failure = from_call(error.code(), error.details(), error.initial_metadata(), error.trailing_metadata())
        retry.failed(failure)
        delay = retry.delay(failure)
        if delay is None:
            raise failure from error
        async with self._changed:
            self._flight.interrupted(time.monotonic())
        await asyncio.sleep(delay)
        retry.attempted()

    async def _read(self, call: Any) -> None:
        try:
            async for outcome in call:
                self._events.put_nowait(outcome)
        except grpc.aio.AioRpcError as error:
            self._events.put_nowait(error)
        else:
            self._events.put_nowait(None)

    async def _send(self, call: Any) -> None:
        """What is due, until all is answered. The call's end is the reader's to tell."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            while (request := await self._next()) is not None:
                await call.write(request)
            await call.done_writing()

    async def _next(self) -> pb.ClassifyImageRequest | None:
        async with self._changed:
            while not (self._exhausted and self._flight.is_empty):
                request = self._flight.next_request(time.monotonic())
                if request is not None:
                    return request
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._flight.next_due(time.monotonic()))
            return None

    async def _take_images(self) -> None:
        """Takes the caller's images while there is room for them."""
        images = aiter(self._images)
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._flight.has_room)
                item = await anext(images)
                index = self._flight.take()
                request = await asyncio.to_thread(prepare, index, item, self._options, self._limits)
                if isinstance(request, Result):
                    self._events.put_nowait(request)
                    continue
                async with self._changed:
                    self._flight.put(index, request, time.monotonic())
                    self._changed.notify_all()
        except StopAsyncIteration:
            async with self._changed:
                self._exhausted = True
                self._changed.notify_all()
        except Exception as error:
            self._events.put_nowait(error)


async def _end(call: Any, tasks: list[asyncio.Task[None]]) -> None:
    call.cancel()
    for task in tasks:
        await _cancel(task)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _asynchronous(items: Iterable[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item
