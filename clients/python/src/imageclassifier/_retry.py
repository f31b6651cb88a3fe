"""Retries: after the server's hint, otherwise with exponential backoff, and never past the deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from ._error import ClassifierError

_FIRST_DELAY = 0.1
_DELAY_MAX = 5.0


class Retry:
    """The attempts of one request. All times are in seconds.

    With `hinted_only`, only errors with the server's hint lead to another attempt: for requests that change the server. After a
    lost connection nobody knows whether they took effect."""

    def __init__(
        self,
        retries: int,
        timeout: float | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        hinted_only: bool = False,
    ) -> None:
        self._left = retries
        self._hinted_only = hinted_only
        self._done = 0
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout

    def timeout(self) -> float | None:
        """The time that is left for the next attempt."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def delay(self, error: ClassifierError) -> float | None:
        """How long to wait before the next attempt; None if there should be none."""
        delay = error.retry_after
        if self._done >= self._left or not error.retryable or (self._hinted_only and delay is None):
            return None
        if delay is None:
            delay = min(_DELAY_MAX, _FIRST_DELAY * 2**self._done)
        # Clients that were rejected together should not come back together.
        delay *= random.uniform(1.0, 1.25)
        left = self.timeout()
        return None if left is not None and delay >= left else delay

    def attempted(self) -> None:
        """Counts a failed attempt."""
        self._done += 1

    def succeeded(self) -> None:
        """Resets the count after a success."""
        self._done = 0
