"""Typos: every name in a manifest whose schema lists the allowed names, changed one at a time, must be noticed."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

FREE = {
    *("labels", "annotations", "matchLabels", "nodeSelector", "data", "requests", "limits"),
    # Of Compose.
    *("services", "networks", "configs", "environment"),
}
"""Parents under which every name is allowed. Names with a slash are those of labels, which are free too."""

Errors = Callable[[dict[str, Any]], list[str]]


def unnoticed(document: dict[str, Any], errors: Errors) -> tuple[int, list[str]]:
    """The number of typos, and the paths of those that `errors` does not notice."""
    paths = list(_names(document))
    missed = [".".join(map(str, path)) for path in paths if not errors(_with_typo(document, path))]
    return len(paths), missed


def _names(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if not (path and path[-1] in FREE) and "/" not in name:
                yield *path, name
            yield from _names(inner, (*path, name))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _names(inner, (*path, index))


def _with_typo(document: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    parent: Any = changed
    for name in path[:-1]:
        parent = parent[name]
    parent[_typo(str(path[-1]))] = parent.pop(path[-1])
    return changed


def _typo(name: str) -> str:
    """Two letters in the wrong order, or one too many."""
    swapped = name[:-2] + name[:-3:-1]
    return swapped if swapped != name else name + name[-1]
