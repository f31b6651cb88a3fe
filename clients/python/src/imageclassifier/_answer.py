"""The server's responses about images as plain values."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from ._error import ClassifierError
from ._proto import image_classifier_pb2 as pb


@dataclass(frozen=True)
class Heatmap:
    """Evidence for a class over `Answer.crop`: rows from the top, of unbounded values. Positive values are evidence for the class,
    negative ones against it."""

    rows: tuple[tuple[float, ...], ...]

    @classmethod
    def _from(cls, wire: pb.Heatmap) -> Heatmap:
        width = wire.width
        starts = range(0, wire.height * width, width or 1)
        return cls(tuple(tuple(wire.values[start : start + width]) for start in starts))


@dataclass(frozen=True)
class Prediction:
    """One class with its probability, 0 to 1."""

    label: str
    confidence: float
    index: int
    heatmap: Heatmap | None

    @classmethod
    def _from(cls, wire: pb.Prediction) -> Prediction:
        heatmap = Heatmap._from(wire.heatmap) if wire.HasField("heatmap") else None
        return cls(wire.label, wire.confidence, wire.index, heatmap)


@dataclass(frozen=True)
class Crop:
    """The square that the network saw, in pixels of the image after its EXIF orientation has been applied."""

    left: int
    top: int
    side: int
    picture_width: int
    picture_height: int

    @classmethod
    def _from(cls, wire: pb.Crop) -> Crop:
        return cls(wire.left, wire.top, wire.side, wire.picture_width, wire.picture_height)


@dataclass(frozen=True)
class Timings:
    """Where the server spent its time, in milliseconds."""

    decode_ms: float
    queue_ms: float
    inference_ms: float

    @classmethod
    def _from(cls, wire: pb.Timings) -> Timings:
        return cls(wire.decode_ms, wire.queue_ms, wire.inference_ms)


@dataclass(frozen=True)
class Answer:
    """The result for one image: the most probable class, and the `top_k` most probable ones, best first.

    `unknown` says that the image probably shows none of the model's classes. `known_score` is the cosine similarity of its
    features to those of the most similar class, -1 to 1; None if the model cannot tell, as for the network's own classes.
    `embedding` are the features themselves, as in `EmbedAnswer`; None unless requested."""

    label: str
    confidence: float
    predictions: tuple[Prediction, ...]
    model: str
    model_revision: str
    timings: Timings
    request_id: str
    crop: Crop | None
    unknown: bool = False
    known_score: float | None = None
    embedding: array[float] | None = field(default=None, hash=False)

    @classmethod
    def _from(cls, wire: pb.ClassifyImageResponse) -> Answer:
        return cls(
            label=wire.label,
            confidence=wire.confidence,
            predictions=tuple(map(Prediction._from, wire.predictions)),
            model=wire.model,
            model_revision=wire.model_revision,
            timings=Timings._from(wire.timings),
            request_id=wire.request_id,
            crop=Crop._from(wire.crop) if wire.HasField("crop") else None,
            unknown=wire.unknown,
            known_score=wire.known_score.value if wire.HasField("known_score") else None,
            embedding=array("f", wire.embedding) if wire.embedding else None,
        )


@dataclass(frozen=True)
class EmbedAnswer:
    """The features of one image: similar images have a high cosine similarity.

    `embedding` is an `array.array` of float32, not scaled to a length; `numpy.asarray` makes a vector of it without copying.
    Only features of the same `model_revision`, that of the network, can be compared."""

    embedding: array[float] = field(hash=False)
    model_revision: str
    timings: Timings
    request_id: str
    crop: Crop | None

    @classmethod
    def _from(cls, wire: pb.EmbedResponse) -> EmbedAnswer:
        return cls(
            embedding=array("f", wire.embedding),
            model_revision=wire.model_revision,
            timings=Timings._from(wire.timings),
            request_id=wire.request_id,
            crop=Crop._from(wire.crop) if wire.HasField("crop") else None,
        )


@dataclass(frozen=True)
class Result:
    """The result for one image of several: `answer` or `error`. An OSError means that the file could not be read."""

    index: int
    id: str
    answer: Answer | None
    error: ClassifierError | OSError | None

    def unwrap(self) -> Answer:
        """Returns the answer, or raises the error."""
        if self.answer is None:
            raise self.error or AssertionError("a result has an answer or an error")
        return self.answer
