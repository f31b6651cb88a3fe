"""Which pictures of a stream are where: no thread, no clock and no network of its own, so that `Client` and `AsyncClient`
share it."""

from __future__ import annotations

from dataclasses import dataclass

from ._answer import Result
from ._error import ClassifierError
from ._proto import image_classifier_pb2 as pb
from ._request import result


@dataclass
class _Sent:
    index: int
    request: pb.ClassifyImageRequest
    retries_left: int


class Flight:
    """Pictures taken from the caller and not yet given back as results: at most `in_flight_max`, which bounds memory on
    this side, whether they wait to be sent, to be answered or to be sent again."""

    def __init__(self, in_flight_max: int, retries: int) -> None:
        if in_flight_max < 1:
            raise ValueError("in_flight has to be at least 1")
        self._in_flight_max = in_flight_max
        self._retries = retries
        self._held = 0
        self._taken = 0
        self._sent = 0
        self._waiting: dict[int, _Sent] = {}
        self._again: list[tuple[float, _Sent]] = []

    @property
    def has_room(self) -> bool:
        """Whether the caller may be asked for another picture."""
        return self._held < self._in_flight_max

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be sent or answered any more."""
        return not self._waiting and not self._again

    def take(self) -> int:
        """The caller gave a picture; its index."""
        self._held += 1
        self._taken += 1
        return self._taken - 1

    def give_back(self) -> None:
        """The caller got a result."""
        self._held -= 1

    def put(self, index: int, request: pb.ClassifyImageRequest, now: float) -> None:
        """`request` can be sent."""
        self._again.append((now, _Sent(index, request, self._retries)))

    def next_request(self, now: float) -> pb.ClassifyImageRequest | None:
        """What to send now, if anything."""
        due = min(self._again, key=lambda again: again[0], default=None)
        if due is None or due[0] > now:
            return None
        self._again.remove(due)
        self._waiting[self._sent] = due[1]
        self._sent += 1
        return due[1].request

    def next_due(self, now: float) -> float | None:
        """In how many seconds there is something to send, if nothing else happens."""
        return min((max(0.0, time - now) for time, _ in self._again), default=None)

    def answered(self, outcome: pb.ClassifyStreamResponse, now: float) -> Result | None:
        """What to give to the caller; None if the picture is to be sent again."""
        sent = self._waiting.pop(outcome.index)
        final = result(sent.index, sent.request.id, outcome)
        error = final.error
        if isinstance(error, ClassifierError) and error.retryable and sent.retries_left > 0:
            sent.retries_left -= 1
            self._again.append((now + (error.retry_after or 0.1), sent))
            return None
        return final

    def interrupted(self, due: float) -> None:
        """The stream ended: what was not answered goes into the next one."""
        self._again.extend((due, sent) for sent in self._waiting.values())
        self._waiting.clear()
        self._sent = 0
