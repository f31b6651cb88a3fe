"""What all requests of a client share: which server is next, and the retry budget."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ._budget import Bucket, RetryBudget

_FIRST_DELAY = 0.1
_DELAY_MAX = 5.0
_HINT_MAX = 86_400.0
"""A longer hint counts as this: the system cannot sleep for as long as a hint can say."""
_PROBE = 5.0
"""For how long one request alone probes a server that was set aside: as long as a connection may take."""

_S = TypeVar("_S")


def backoff(failures: int, hint: float | None = None) -> float:
    """Seconds to wait after `failures` failures in a row and one more: doubled each time, and no shorter than the server's
    hint. Clients that failed together do not come back together."""
    doubled = min(_DELAY_MAX, _FIRST_DELAY * 2.0 ** min(failures, 10))
    return max(doubled, min(hint or 0.0, _HINT_MAX)) * random.uniform(1.0, 1.25)


@dataclass
class _Turn:
    """The state of a server; `failures` are those since its last answer."""

    failures: int = 0
    aside_until: float = 0.0
    is_probing: bool = False


class Pool(Generic[_S]):
    """Servers that take turns. One that is unavailable is set aside, longer each time; then one request probes it. If all are set
    aside, the one whose time is over first is next. For any number of threads."""

    def __init__(
        self, servers: Sequence[_S], budget: RetryBudget | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.servers = servers
        self._bucket = None if budget is None else Bucket(budget)
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = [_Turn() for _ in servers]
        self._next = random.randrange(len(servers))

    def next(self) -> int:
        """The index of the server for the next request."""
        with self._lock:
            now = self._clock()
            order = [(self._next + i) % len(self._turns) for i in range(len(self._turns))]
            index = min(order, key=lambda index: max(now, self._turns[index].aside_until))
            self._next = index + 1
            turn = self._turns[index]
            if turn.failures > 0 and turn.aside_until <= now:
                turn.is_probing = True
                turn.aside_until = now + _PROBE
            return index

    def unavailable(self, index: int, hint: float | None) -> None:
        """Sets a server aside."""
        with self._lock:
            now, turn = self._clock(), self._turns[index]
            # Requests that fail together count once.
            if turn.aside_until <= now or turn.is_probing:
                self._turns[index] = _Turn(turn.failures + 1, now + backoff(turn.failures, hint))

    def answered(self, index: int) -> None:
        """The server has answered, even if with an error."""
        with self._lock:
            self._turns[index] = _Turn()

    @property
    def is_any_available(self) -> bool:
        """Whether a server is not set aside."""
        with self._lock:
            return any(turn.aside_until <= self._clock() for turn in self._turns)

    def failed(self) -> None:
        """A request failed that may succeed later."""
        with self._lock:
            if self._bucket is not None:
                self._bucket.failed()

    def succeeded(self) -> None:
        """A request or an image succeeded."""
        with self._lock:
            if self._bucket is not None:
                self._bucket.succeeded()

    @property
    def allows_retries(self) -> bool:
        """Whether the budget has tokens for retries."""
        with self._lock:
            return self._bucket is None or self._bucket.allows_retries
