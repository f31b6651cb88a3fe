"""A stream of images, for threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
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


@dataclass
class _Ended:
    """The request ended, with an error or without, or the caller's iterator raised."""

    error: BaseException | None


class Stream:
    """Three threads share it: gRPC's takes messages to send, one reads responses, and the caller's takes results."""

    def __init__(
        self, images: Iterable[Item], options: Options, limits: Limits, in_flight_max: int, retries: int
    ) -> None:
        self._flight = Flight(in_flight_max, retries)
        self._images = iter(images)
        self._options = options
        self._limits = limits
        self._exhausted = False
        # Guards the flight and signals changes in it.
        self._changed = threading.Condition()
        # Only one thread at a time uses the caller's iterator, also when a new request begins.
        self._taking = threading.Lock()
        self._call: object = None
        # Never longer than the images in flight plus one end.
        self._events: queue.Queue[Result | pb.ClassifyStreamResponse | _Ended] = queue.Queue()

    def results(self, metadata: Metadata, retry: Retry[Any]) -> Iterator[Result]:
        """Results as they come. Closing this iterator cancels the stream."""
        call = self._begin(metadata, retry)
        try:
            while True:
                event = self._events.get()
                if isinstance(event, pb.ClassifyStreamResponse):
                    if event.HasField("response"):
                        retry.succeeded()
                    retry.restart()
                    with self._changed:
                        final = self._flight.answered(event, time.monotonic(), retry.allowed)
                        self._changed.notify_all()
                elif isinstance(event, Result):
                    final = event
                elif event.error is None:
                    with self._changed:
                        if not self._exhausted or not self._flight.is_empty:
                            raise unanswered()
                    return
                elif isinstance(event.error, grpc.Call):
                    call = self._again(event.error, lambda: self._begin(metadata, retry), retry)
                    continue
                else:
                    raise event.error
                if final is not None:
                    with self._changed:
                        self._flight.give_back()
                        self._changed.notify_all()
                    yield final
        finally:
            with self._changed:
                self._call = None
                self._changed.notify_all()
            call.cancel()

    def _begin(self, metadata: Metadata, retry: Retry[Any]) -> Any:
        me = object()
        with self._changed:
            self._call = me
        call = retry.server().ClassifyStream(self._requests(me), timeout=retry.timeout(), metadata=metadata)
        threading.Thread(target=self._read, args=(call,), name="imageclassifier-stream", daemon=True).start()
        return call

    def _again(self, error: grpc.Call, begin: Callable[[], Any], retry: Retry[Any]) -> Any:
        """After the connection was lost, sends the images without a result in a new request."""
        failure = from_call(error.code(), error.details(), error.initial_metadata(), error.trailing_metadata())
        retry.failed(failure)
        delay = retry.delay(failure)
        if delay is None:
            raise failure
        with self._changed:
            self._call = None
            self._flight.interrupted(time.monotonic())
            self._changed.notify_all()
        time.sleep(delay)
        retry.attempted()
        return begin()

    def _read(self, call: Any) -> None:
        """Runs in a thread: turns responses into events."""
        try:
            for outcome in call:
                self._events.put(outcome)
        except grpc.RpcError as error:
            self._events.put(_Ended(error))
        else:
            self._events.put(_Ended(None))

    def _requests(self, me: object) -> Iterator[pb.ClassifyImageRequest]:
        """Runs in gRPC's thread: messages to send, as long as `me` is the stream's request."""
        while True:
            with self._changed:
                if self._call is not me or (self._exhausted and self._flight.is_empty):
                    return
                request = self._flight.next_request(time.monotonic())
                if request is None and (self._exhausted or not self._flight.has_room):
                    self._changed.wait(self._flight.next_due(time.monotonic()))
                    continue
            if request is not None:
                yield request
            elif not self._take_next():
                return

    def _take_next(self) -> bool:
        """Takes the caller's next image. Returns whether to continue."""
        with self._taking:
            if self._exhausted:
                return True
            try:
                item = next(self._images)
            except StopIteration:
                self._exhausted = True
                return True
            except BaseException as error:
                self._exhausted = True
                self._events.put(_Ended(error))
                return False
            with self._changed:
                index = self._flight.take()
            try:
                request = prepare(index, item, self._options, self._limits)
            except BaseException as error:
                self._exhausted = True
                self._events.put(_Ended(error))
                return False
        if isinstance(request, Result):
            self._events.put(request)
        else:
            with self._changed:
                self._flight.put(index, request, time.monotonic())
        return True
