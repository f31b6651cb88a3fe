"""From a caller's pictures to the contract's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, Union

from ._answer import Answer, Limits, Result
from ._error import ClassifierError, from_status, too_large
from ._picture import Picture, encoded
from ._proto import image_classifier_pb2 as pb

Item: TypeAlias = Union[Picture, tuple[str, Picture]]
"""A picture of several, or (id, picture)."""

_FIELD_BYTES_MAX = 16
"""Tag and length around a message within a message, and room to spare."""


@dataclass(frozen=True)
class Options:
    """What is asked about each picture."""

    top_k: int
    model: str
    explain: bool

    def request(self, picture: Picture, id: str = "") -> pb.ClassifyImageRequest:
        return pb.ClassifyImageRequest(
            image_data=encoded(picture), top_k=self.top_k, model=self.model, explain=self.explain, id=id
        )


def named(item: Item) -> tuple[str, Picture]:
    """Its id and picture."""
    return item if isinstance(item, tuple) else ("", item)


def prepare(index: int, item: Item, options: Options, limits: Limits) -> pb.ClassifyImageRequest | Result:
    """The message to send, or what is the matter with the picture before anything is sent."""
    id, picture = named(item)
    try:
        request = options.request(picture, id)
    except OSError as error:
        return Result(index, id, None, error)
    image_bytes = len(request.image_data)
    if 0 < limits.image_bytes_max < image_bytes:
        return Result(index, id, None, too_large(image_bytes, limits.image_bytes_max))
    return request


def result(index: int, id: str, outcome: pb.ClassifyBatchResponse | pb.ClassifyStreamResponse) -> Result:
    """What came of the picture `index`."""
    if outcome.HasField("error"):
        return Result(index, id, None, from_status(outcome.error))
    return Result(index, id, Answer._from(outcome.response), None)


class Batch:
    """Pictures on their way through ClassifyBatch: which are still without a result, and in which calls they fit."""

    def __init__(self, items: Iterable[Item], options: Options, limits: Limits) -> None:
        self._items = list(items)
        self._options = options
        self._limits = limits
        self._results: dict[int, Result] = {}
        self._open = list(range(len(self._items)))

    def messages(self) -> Iterator[tuple[list[int], pb.ClassifyBatchRequest]]:
        """What to send for the pictures without a result: pictures, and the message with them. One at a time, so that no
        more than one is in memory."""
        due, self._open = self._open, []
        indices: list[int] = []
        message = pb.ClassifyBatchRequest()
        message_bytes = 0
        for index in due:
            request = prepare(index, self._items[index], self._options, self._limits)
            if isinstance(request, Result):
                self._results[index] = request
                continue
            request_bytes = request.ByteSize() + _FIELD_BYTES_MAX
            if indices and self._is_full(len(indices), message_bytes + request_bytes):
                yield indices, message
                indices, message, message_bytes = [], pb.ClassifyBatchRequest(), 0
            indices.append(index)
            message.requests.append(request)
            message_bytes += request_bytes
        if indices:
            yield indices, message

    def _is_full(self, images: int, message_bytes: int) -> bool:
        return images >= (self._limits.batch_images_max or 1) or message_bytes > self._limits.message_bytes_max

    def answered(self, indices: list[int], outcome: pb.ClassifyBatchResponse) -> None:
        """`outcome` came to the message with `indices`."""
        index = indices[outcome.index]
        self._take(result(index, named(self._items[index])[0], outcome))

    def failed(self, indices: list[int], error: ClassifierError) -> None:
        """The call with `indices` ended with `error`. What had come before stays."""
        for index in indices:
            if index not in self._results and index not in self._open:
                self._take(Result(index, named(self._items[index])[0], None, error))

    def _take(self, result: Result) -> None:
        self._results[result.index] = result

    def again(self, wait: Callable[[ClassifierError], float | None]) -> float | None:
        """Takes back the results that may be better later; how long to wait before, if there are any. `wait` decides."""
        longest: float | None = None
        for index, result in list(self._results.items()):
            if isinstance(result.error, ClassifierError) and result.error.retryable:
                delay = wait(result.error)
                if delay is not None:
                    longest = max(longest or 0.0, delay)
                    del self._results[index]
                    self._open.append(index)
        return longest

    def results(self) -> list[Result]:
        """One for each picture, in the caller's order."""
        return [self._results[index] for index in range(len(self._items))]
