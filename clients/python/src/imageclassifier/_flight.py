"""The state of a stream's images. It has no thread, no clock and no network, so `Client` and `AsyncClient` share it."""

from __future__ import annotations

from dataclasses import dataclass

from ._answer import Result
from ._error import ClassifierError
from ._pool import backoff
from ._proto import image_classifier_pb2 as pb
from ._request import result


@dataclass
class _Sent:
    index: int
    request: pb.ClassifyImageRequest
    retries: int = 0


class Flight:
    """Images taken from the caller whose results have not been returned yet. There are at most `in_flight_max`, which
    bounds memory in this process."""

    def __init__(self, in_flight_max: int, retries: int) -> None:
        if in_flight_max < 1:
            raise ValueError("in_flight must be at least 1")
        self._in_flight_max = in_flight_max
        self._retries = retries
        self._held = 0
        self._taken = 0
        self._sent = 0
        self._waiting: dict[int, _Sent] = {}
        self._again: list[tuple[float, _Sent]] = []

    @property
    def has_room(self) -> bool:
        """Whether another image may be taken from the caller."""
        return self._held < self._in_flight_max

    @property
    def is_empty(self) -> bool:
        """Whether nothing remains to be sent or answered."""
        return not self._waiting and not self._again

    def take(self) -> int:
        """Counts an image taken from the caller; returns its index."""
        self._held += 1
        self._taken += 1
        return self._taken - 1

    def give_back(self) -> None:
        """A result has been returned to the caller."""
        self._held -= 1

    def put(self, index: int, request: pb.ClassifyImageRequest, now: float) -> None:
        """Queues `request`."""
        self._again.append((now, _Sent(index, request)))

    def next_request(self, now: float) -> pb.ClassifyImageRequest | None:
        """The request to send now, if any."""
        due = min(self._again, key=lambda again: again[0], default=None)
        if due is None or due[0] > now:
            return None
        self._again.remove(due)
        self._waiting[self._sent] = due[1]
        self._sent += 1
        return due[1].request

    def next_due(self, now: float) -> float | None:
        """Seconds until the next request is due; None if there is none."""
        return min((max(0.0, time - now) for time, _ in self._again), default=None)

    def answered(self, outcome: pb.ClassifyStreamResponse, now: float, allows_retries: bool) -> Result | None:
        """The result to return to the caller; None if the image will be sent again."""
        sent = self._waiting.pop(outcome.index)
        final = result(sent.index, sent.request.id, outcome)
        error = final.error
        may_retry = allows_retries and sent.retries < self._retries
        if isinstance(error, ClassifierError) and error.retryable and may_retry:
            self._again.append((now + backoff(sent.retries, error.retry_after), sent))
            sent.retries += 1
            return None
        return final

    def interrupted(self, due: float) -> None:
        """The stream ended: images without a result go into the next one."""
        self._again.extend((due, sent) for sent in self._waiting.values())
        self._waiting.clear()
        self._sent = 0
