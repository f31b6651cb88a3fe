"""Retries: after the server's hint, otherwise with exponential backoff, never past the deadline, and within the client's budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

import grpc

from ._error import ClassifierError
from ._pool import Pool, backoff

_S = TypeVar("_S")


class Retry(Generic[_S]):
    """The attempts of one request. All times are in seconds.

    With `hinted_only`, only errors with the server's hint lead to another attempt: for requests that change the server. After a
    lost connection nobody knows whether they took effect."""

    def __init__(
        self,
        pool: Pool[_S],
        retries: int,
        timeout: float | None,
        clock: Callable[[], float] = time.monotonic,
        *,
        hinted_only: bool = False,
    ) -> None:
        self._pool = pool
        self._left = retries
        self._hinted_only = hinted_only
        self._done = 0
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._server = 0
        # Attempts since the last wait that moved to another server at once.
        self._moves = 0
        self._is_moving = False

    def server(self) -> _S:
        """The server for the next attempt."""
        self._server = self._pool.next()
        return self._pool.servers[self._server]

    def timeout(self) -> float | None:
        """The time that is left for the next attempt."""
        return None if self._deadline is None else max(0.0, self._deadline - self._clock())

    def failed(self, error: ClassifierError) -> None:
        """The attempt ended with `error`."""
        if error.retryable:
            self._pool.failed()
        self._is_moving = False
        if error.code is grpc.StatusCode.UNAVAILABLE:
            self._pool.unavailable(self._server, error.retry_after)
            self._is_moving = self._moves + 1 < len(self._pool.servers) and self._pool.is_any_available
        elif error.reason:
            self._pool.answered(self._server)

    def delay(self, error: ClassifierError) -> float | None:
        """How long to wait before the next attempt; None if there should be none. `error` is that of an attempt, or of one image
        of several."""
        hint = error.retry_after
        if not error.retryable or (self._hinted_only and hint is None) or not self.allowed:
            return None
        # Another server need not wait for this one.
        moves = self._is_moving and error.code is grpc.StatusCode.UNAVAILABLE
        if not moves and self._done >= self._left:
            return None
        delay = 0.0 if moves else backoff(self._done, hint)
        left = self.timeout()
        return None if left is not None and delay >= left else delay

    @property
    def allowed(self) -> bool:
        """Whether the client's budget has tokens for retries."""
        return self._pool.allows_retries

    def attempted(self) -> None:
        """Counts a failed attempt, after the wait."""
        if self._is_moving:
            self._moves += 1
        else:
            self._done += 1
            self._moves = 0
        self._is_moving = False

    def succeeded(self) -> None:
        """The server answered the request, or an image of it."""
        self._pool.answered(self._server)
        self._pool.succeeded()

    def restart(self) -> None:
        """Forgets the failures so far, because a stream has made progress."""
        self._done = 0
