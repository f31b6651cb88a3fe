"""What the server says about its models, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ._proto import image_classifier_pb2 as pb

ModelState: TypeAlias = Literal["serving", "broken", "unloaded", "unknown"]
"""Whether requests can use a version of a model: `broken` if its folder cannot be used, `unloaded` if an operator unloaded it,
`unknown` if the server is newer than this package."""

_STATES: dict[int, ModelState] = {
    pb.MODEL_STATE_SERVING: "serving",
    pb.MODEL_STATE_BROKEN: "broken",
    pb.MODEL_STATE_UNLOADED: "unloaded",
}


@dataclass(frozen=True)
class Limits:
    """What the server accepts; 0 if it does not say."""

    image_bytes_max: int
    pixels_max: int
    media_types: tuple[str, ...]
    batch_images_max: int
    message_bytes_max: int

    @classmethod
    def _from(cls, wire: pb.Limits) -> Limits:
        return cls(
            wire.image_bytes_max,
            wire.pixels_max,
            tuple(wire.media_types),
            wire.batch_images_max,
            wire.message_bytes_max,
        )


@dataclass(frozen=True)
class Model:
    """A model that the server serves."""

    name: str
    revision: str
    weights_digest: str
    labels: tuple[str, ...]
    input_size: int
    limits: Limits

    @classmethod
    def _from(cls, wire: pb.GetModelResponse) -> Model:
        return cls(
            wire.name,
            wire.revision,
            wire.weights_digest,
            tuple(wire.labels),
            wire.input_size,
            Limits._from(wire.limits),
        )


@dataclass(frozen=True)
class ModelSummary:
    """One version of a model, also of one that is not served.

    `version` is 0 if the model has no versions. `is_current` says whether its name alone means this version, `is_default`
    whether requests without a name use it. `base` is the network that computes the features. `error` says why the model's
    folder cannot be used; if `state` is "serving", its earlier contents stay in use. `training` says how the model was trained;
    None for the network itself. `revision`, `digest` and `classes` are empty or 0 if the version is not served."""

    name: str
    version: int
    revision: str
    digest: str
    classes: int
    base: str
    state: ModelState
    error: str
    is_current: bool
    is_default: bool
    training: dict[str, Any] | None = field(hash=False)

    @classmethod
    def _from(cls, wire: pb.ModelSummary) -> ModelSummary:
        return cls(
            name=wire.name,
            version=wire.version,
            revision=wire.revision,
            digest=wire.digest,
            classes=wire.classes,
            base=wire.base,
            state=_STATES.get(wire.state, "unknown"),
            error=wire.error,
            is_current=wire.is_current,
            is_default=wire.is_default,
            training=_training(wire.training),
        )


def _training(text: str) -> dict[str, Any] | None:
    try:
        training = json.loads(text)
    except ValueError:
        return None
    return training if isinstance(training, dict) else None
