"""From a caller's images to the contract's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, Union

from ._answer import Answer, Result
from ._error import ClassifierError, from_status, too_large
from ._image import ImageInput, encoded
from ._model import Limits
from ._proto import image_classifier_pb2 as pb

Item: TypeAlias = Union[ImageInput, tuple[str, ImageInput]]
"""One image of several, or (id, image)."""

_FIELD_BYTES_MAX = 16
"""An upper bound for the tag and length around a message within a message."""


@dataclass(frozen=True)
class Options:
    """The options that are sent with each image."""

    top_k: int
    model: str
    explain: bool
    embed: bool

    def request(self, image: ImageInput, id: str = "") -> pb.ClassifyImageRequest:
        return pb.ClassifyImageRequest(
            image_data=encoded(image),
            top_k=self.top_k,
            model=self.model,
            explain=self.explain,
            embed=self.embed,
            id=id,
        )


def named(item: Item) -> tuple[str, ImageInput]:
    """The id of `item`, "" if it has none, and its image."""
    return item if isinstance(item, tuple) else ("", item)


def prepare(index: int, item: Item, options: Options, limits: Limits) -> pb.ClassifyImageRequest | Result:
    """The message to send, or the result of an image that cannot be sent."""
    id, image = named(item)
    try:
        request = options.request(image, id)
    except OSError as error:
        return Result(index, id, None, error)
    image_bytes = len(request.image_data)
    if 0 < limits.image_bytes_max < image_bytes:
        return Result(index, id, None, too_large(image_bytes, limits.image_bytes_max))
    return request


def result(index: int, id: str, outcome: pb.ClassifyBatchResponse | pb.ClassifyStreamResponse) -> Result:
    """The result for the image `index`."""
    if outcome.HasField("error"):
        return Result(index, id, None, from_status(outcome.error))
    return Result(index, id, Answer._from(outcome.response), None)


class Batch:
    """Images on their way through ClassifyBatch: which of them have no result yet, and in which requests they fit."""

    def __init__(self, items: Iterable[Item], options: Options, limits: Limits) -> None:
        self._items = list(items)
        self._options = options
        self._limits = limits
        self._results: dict[int, Result] = {}
        self._open = list(range(len(self._items)))

    def messages(self) -> Iterator[tuple[list[int], pb.ClassifyBatchRequest]]:
        """The requests for the images without a result: indices of the images, and the message with them. One at a time, so
        that only one is in memory."""
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
        """`outcome` belongs to the message with `indices`."""
        index = indices[outcome.index]
        self._take(result(index, named(self._items[index])[0], outcome))

    def failed(self, indices: list[int], error: ClassifierError) -> None:
        """The request with `indices` ended with `error`. Results that came before it stay."""
        for index in indices:
            if index not in self._results and index not in self._open:
                self._take(Result(index, named(self._items[index])[0], None, error))

    def _take(self, result: Result) -> None:
        self._results[result.index] = result

    def again(self, wait: Callable[[ClassifierError], float | None]) -> float | None:
        """Drops the results that should be retried; returns how long to wait before that, None if there are none. `wait`
        decides."""
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
        """One for each image, in the caller's order."""
        return [self._results[index] for index in range(len(self._items))]
