"""Names of 0.1 that go away in 0.2. Until then each works and warns."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

RENAMED = {
    "NotAuthenticated": "Unauthenticated",
    "Picture": "ImageInput",
    "RequestRefused": "InvalidRequest",
    "ServerFault": "ServerError",
    "TryAgain": "Unavailable",
}
"""Old name of an export: its new name."""


def renamed_argument(old: str, new: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Lets a method take the argument `new` also by the keyword `old`."""

    def decorate(method: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(method)
        def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            if old in kwargs and new not in kwargs:
                _warn(f"the argument {old} of {method.__name__}", new, frames=2)
                kwargs[new] = kwargs.pop(old)
            return method(*args, **kwargs)

        return wrapper

    return decorate


def renamed_export(module: dict[str, Any], name: str) -> Any:
    """What the package exports as `name`: for its `__getattr__`. Raises AttributeError for a name that it never had."""
    new = RENAMED.get(name)
    if new is None:
        raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
    _warn(f"{module['__name__']}.{name}", new, frames=3)
    return module[new]


def _warn(old: str, new: str, frames: int) -> None:
    """Warns at the line of the user's program that lies `frames` above this function."""
    warnings.warn(f"{old} is deprecated: use {new}", DeprecationWarning, stacklevel=frames + 1)
