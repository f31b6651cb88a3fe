"""From a folder that `imageclassifier train` wrote to the messages that publish it."""

from __future__ import annotations

import os
from pathlib import Path

from ._proto import image_classifier_pb2 as pb

_REQUIRED_FILES = ("config.json", "model.safetensors")
_OPTIONAL_FILES = ("report.json", "report.html", "LICENSE")

_PART_BYTES_MAX = 1 << 20
"""Well below any server's limit for one message."""


def publish_requests(
    model_dir: str | os.PathLike[str], name: str | None, version: int
) -> list[pb.PublishModelRequest]:
    """The folder's files in parts; files that do not belong to a model stay where they are. The name is by default the folder's.

    Everything is read before anything is sent, so that a file that cannot be read raises its own OSError. Heads are small: the
    largest that a server accepts has 64 MiB."""
    folder = Path(model_dir).absolute()
    files = {file: (folder / file).read_bytes() for file in _REQUIRED_FILES}
    files |= {file: (folder / file).read_bytes() for file in _OPTIONAL_FILES if (folder / file).exists()}
    requests = [
        pb.PublishModelRequest(file=file, data=content[start : start + _PART_BYTES_MAX])
        for file, content in files.items()
        for start in range(0, len(content) or 1, _PART_BYTES_MAX)
    ]
    requests[0].name = folder.name if name is None else name
    requests[0].version = version
    return requests
