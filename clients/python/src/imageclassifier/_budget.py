"""How many requests a client may send again: gRPC's retry throttling (proposal A6)."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class RetryBudget:
    """Limits the retries of a client, so that they do not add to the load of servers that fail.

    The client begins with `max_tokens`. Each failed request takes one, each answered request or image gives `token_ratio` back.
    While half of the tokens or fewer are left, nothing is sent again. Infinitely many are no bound."""

    max_tokens: float = 100.0
    token_ratio: float = 0.1

    def __post_init__(self) -> None:
        if not (self.max_tokens > 0 and self.token_ratio >= 0):
            raise ValueError("a retry budget needs max_tokens above 0, and token_ratio of at least 0")


class Bucket:
    """The tokens of one client."""

    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget
        self._tokens = budget.max_tokens

    @property
    def allows_retries(self) -> bool:
        # Half of infinity would be infinity.
        return self._tokens > min(self._budget.max_tokens, sys.float_info.max) / 2

    def failed(self) -> None:
        self._tokens = max(0.0, self._tokens - 1)

    def succeeded(self) -> None:
        self._tokens = min(self._budget.max_tokens, self._tokens + self._budget.token_ratio)
