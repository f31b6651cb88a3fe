from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_STATE_UNSPECIFIED: _ClassVar[ModelState]
    MODEL_STATE_SERVING: _ClassVar[ModelState]
    MODEL_STATE_BROKEN: _ClassVar[ModelState]
    MODEL_STATE_UNLOADED: _ClassVar[ModelState]

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    IMAGE_EMPTY: _ClassVar[ErrorReason]
    IMAGE_TOO_LARGE: _ClassVar[ErrorReason]
    IMAGE_FORMAT_UNKNOWN: _ClassVar[ErrorReason]
    IMAGE_UNDECODABLE: _ClassVar[ErrorReason]
    IMAGE_DIMENSIONS: _ClassVar[ErrorReason]
    TOP_K_OUT_OF_RANGE: _ClassVar[ErrorReason]
    MODEL_UNKNOWN: _ClassVar[ErrorReason]
    EXPLAIN_UNSUPPORTED: _ClassVar[ErrorReason]
    OVERLOADED: _ClassVar[ErrorReason]
    NOT_READY: _ClassVar[ErrorReason]
    INTERNAL_ERROR: _ClassVar[ErrorReason]
    DEADLINE_EXCEEDED: _ClassVar[ErrorReason]
    TIMEOUT_MALFORMED: _ClassVar[ErrorReason]
    UNAUTHENTICATED: _ClassVar[ErrorReason]
    RATE_LIMITED: _ClassVar[ErrorReason]
    MESSAGE_MALFORMED: _ClassVar[ErrorReason]
    BATCH_SIZE: _ClassVar[ErrorReason]
    ID_TOO_LONG: _ClassVar[ErrorReason]
    TENSOR_MALFORMED: _ClassVar[ErrorReason]
    MESSAGE_COMPRESSED: _ClassVar[ErrorReason]
    METHOD_UNKNOWN: _ClassVar[ErrorReason]
    PERMISSION_DENIED: _ClassVar[ErrorReason]
    NOT_ENABLED: _ClassVar[ErrorReason]
    MODEL_UNUSABLE: _ClassVar[ErrorReason]
    LABEL_MALFORMED: _ClassVar[ErrorReason]
    FEEDBACK_FULL: _ClassVar[ErrorReason]
MODEL_STATE_UNSPECIFIED: ModelState
MODEL_STATE_SERVING: ModelState
MODEL_STATE_BROKEN: ModelState
MODEL_STATE_UNLOADED: ModelState
ERROR_REASON_UNSPECIFIED: ErrorReason
IMAGE_EMPTY: ErrorReason
IMAGE_TOO_LARGE: ErrorReason
IMAGE_FORMAT_UNKNOWN: ErrorReason
IMAGE_UNDECODABLE: ErrorReason
IMAGE_DIMENSIONS: ErrorReason
TOP_K_OUT_OF_RANGE: ErrorReason
MODEL_UNKNOWN: ErrorReason
EXPLAIN_UNSUPPORTED: ErrorReason
OVERLOADED: ErrorReason
NOT_READY: ErrorReason
INTERNAL_ERROR: ErrorReason
DEADLINE_EXCEEDED: ErrorReason
TIMEOUT_MALFORMED: ErrorReason
UNAUTHENTICATED: ErrorReason
RATE_LIMITED: ErrorReason
MESSAGE_MALFORMED: ErrorReason
BATCH_SIZE: ErrorReason
ID_TOO_LONG: ErrorReason
TENSOR_MALFORMED: ErrorReason
MESSAGE_COMPRESSED: ErrorReason
METHOD_UNKNOWN: ErrorReason
PERMISSION_DENIED: ErrorReason
NOT_ENABLED: ErrorReason
MODEL_UNUSABLE: ErrorReason
LABEL_MALFORMED: ErrorReason
FEEDBACK_FULL: ErrorReason

class ClassifyImageRequest(_message.Message):
    __slots__ = ("image_data", "top_k", "model", "explain", "id", "embed")
    IMAGE_DATA_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    image_data: bytes
    top_k: int
    model: str
    explain: bool
    id: str
    embed: bool
    def __init__(self, image_data: _Optional[bytes] = ..., top_k: _Optional[int] = ..., model: _Optional[str] = ..., explain: bool = ..., id: _Optional[str] = ..., embed: bool = ...) -> None: ...

class ClassifyImageResponse(_message.Message):
    __slots__ = ("label", "confidence", "predictions", "model", "model_revision", "timings", "request_id", "crop", "unknown", "known_score", "embedding")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_REVISION_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    KNOWN_SCORE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    label: str
    confidence: float
    predictions: _containers.RepeatedCompositeFieldContainer[Prediction]
    model: str
    model_revision: str
    timings: Timings
    request_id: str
    crop: Crop
    unknown: bool
    known_score: _wrappers_pb2.FloatValue
    embedding: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ..., predictions: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., model: _Optional[str] = ..., model_revision: _Optional[str] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., request_id: _Optional[str] = ..., crop: _Optional[_Union[Crop, _Mapping]] = ..., unknown: bool = ..., known_score: _Optional[_Union[_wrappers_pb2.FloatValue, _Mapping]] = ..., embedding: _Optional[_Iterable[float]] = ...) -> None: ...

class ClassifyBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ClassifyImageRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ClassifyImageRequest, _Mapping]]] = ...) -> None: ...

class ClassifyBatchResponse(_message.Message):
    __slots__ = ("index", "id", "response", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    id: str
    response: ClassifyImageResponse
    error: _status_pb2.Status
    def __init__(self, index: _Optional[int] = ..., id: _Optional[str] = ..., response: _Optional[_Union[ClassifyImageResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class ClassifyStreamResponse(_message.Message):
    __slots__ = ("index", "id", "response", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    id: str
    response: ClassifyImageResponse
    error: _status_pb2.Status
    def __init__(self, index: _Optional[int] = ..., id: _Optional[str] = ..., response: _Optional[_Union[ClassifyImageResponse, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Crop(_message.Message):
    __slots__ = ("left", "top", "side", "picture_width", "picture_height")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    PICTURE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    left: int
    top: int
    side: int
    picture_width: int
    picture_height: int
    def __init__(self, left: _Optional[int] = ..., top: _Optional[int] = ..., side: _Optional[int] = ..., picture_width: _Optional[int] = ..., picture_height: _Optional[int] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ("label", "confidence", "index", "heatmap")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    HEATMAP_FIELD_NUMBER: _ClassVar[int]
    label: str
    confidence: float
    index: int
    heatmap: Heatmap
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ..., index: _Optional[int] = ..., heatmap: _Optional[_Union[Heatmap, _Mapping]] = ...) -> None: ...

class Heatmap(_message.Message):
    __slots__ = ("height", "width", "values")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    height: int
    width: int
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, height: _Optional[int] = ..., width: _Optional[int] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class Timings(_message.Message):
    __slots__ = ("decode_ms", "queue_ms", "inference_ms")
    DECODE_MS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_MS_FIELD_NUMBER: _ClassVar[int]
    decode_ms: float
    queue_ms: float
    inference_ms: float
    def __init__(self, decode_ms: _Optional[float] = ..., queue_ms: _Optional[float] = ..., inference_ms: _Optional[float] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("name", "revision", "weights_digest", "labels", "input_size", "preprocessing", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZE_FIELD_NUMBER: _ClassVar[int]
    PREPROCESSING_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    revision: str
    weights_digest: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    input_size: int
    preprocessing: Preprocessing
    limits: Limits
    def __init__(self, name: _Optional[str] = ..., revision: _Optional[str] = ..., weights_digest: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., input_size: _Optional[int] = ..., preprocessing: _Optional[_Union[Preprocessing, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "accepts_feedback")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelSummary]
    accepts_feedback: bool
    def __init__(self, models: _Optional[_Iterable[_Union[ModelSummary, _Mapping]]] = ..., accepts_feedback: bool = ...) -> None: ...

class ModelSummary(_message.Message):
    __slots__ = ("name", "version", "revision", "digest", "classes", "is_default", "base", "state", "error", "is_current", "training", "input_size", "kernel_share")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    IS_CURRENT_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZE_FIELD_NUMBER: _ClassVar[int]
    KERNEL_SHARE_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    revision: str
    digest: str
    classes: int
    is_default: bool
    base: str
    state: ModelState
    error: str
    is_current: bool
    training: str
    input_size: int
    kernel_share: float
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., revision: _Optional[str] = ..., digest: _Optional[str] = ..., classes: _Optional[int] = ..., is_default: bool = ..., base: _Optional[str] = ..., state: _Optional[_Union[ModelState, str]] = ..., error: _Optional[str] = ..., is_current: bool = ..., training: _Optional[str] = ..., input_size: _Optional[int] = ..., kernel_share: _Optional[float] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("image_data", "model")
    IMAGE_DATA_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    image_data: bytes
    model: str
    def __init__(self, image_data: _Optional[bytes] = ..., model: _Optional[str] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("embedding", "model_revision", "timings", "request_id", "crop")
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    MODEL_REVISION_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CROP_FIELD_NUMBER: _ClassVar[int]
    embedding: _containers.RepeatedScalarFieldContainer[float]
    model_revision: str
    timings: Timings
    request_id: str
    crop: Crop
    def __init__(self, embedding: _Optional[_Iterable[float]] = ..., model_revision: _Optional[str] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., request_id: _Optional[str] = ..., crop: _Optional[_Union[Crop, _Mapping]] = ...) -> None: ...

class PublishModelRequest(_message.Message):
    __slots__ = ("name", "version", "file", "data")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    file: str
    data: bytes
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., file: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class PublishModelResponse(_message.Message):
    __slots__ = ("model", "request_id")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    model: ModelSummary
    request_id: str
    def __init__(self, model: _Optional[_Union[ModelSummary, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class FeedbackRequest(_message.Message):
    __slots__ = ("image_data", "label")
    IMAGE_DATA_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    image_data: bytes
    label: str
    def __init__(self, image_data: _Optional[bytes] = ..., label: _Optional[str] = ...) -> None: ...

class FeedbackResponse(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class Preprocessing(_message.Message):
    __slots__ = ("version", "crop_fraction", "filter", "mean", "scale", "channel_means", "channel_scales", "channels", "squash", "resized_side")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CROP_FRACTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_MEANS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_SCALES_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    SQUASH_FIELD_NUMBER: _ClassVar[int]
    RESIZED_SIDE_FIELD_NUMBER: _ClassVar[int]
    version: str
    crop_fraction: float
    filter: str
    mean: float
    scale: float
    channel_means: _containers.RepeatedScalarFieldContainer[float]
    channel_scales: _containers.RepeatedScalarFieldContainer[float]
    channels: str
    squash: bool
    resized_side: int
    def __init__(self, version: _Optional[str] = ..., crop_fraction: _Optional[float] = ..., filter: _Optional[str] = ..., mean: _Optional[float] = ..., scale: _Optional[float] = ..., channel_means: _Optional[_Iterable[float]] = ..., channel_scales: _Optional[_Iterable[float]] = ..., channels: _Optional[str] = ..., squash: bool = ..., resized_side: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("image_bytes_max", "pixels_max", "media_types", "batch_images_max", "message_bytes_max")
    IMAGE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    PIXELS_MAX_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TYPES_FIELD_NUMBER: _ClassVar[int]
    BATCH_IMAGES_MAX_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    image_bytes_max: int
    pixels_max: int
    media_types: _containers.RepeatedScalarFieldContainer[str]
    batch_images_max: int
    message_bytes_max: int
    def __init__(self, image_bytes_max: _Optional[int] = ..., pixels_max: _Optional[int] = ..., media_types: _Optional[_Iterable[str]] = ..., batch_images_max: _Optional[int] = ..., message_bytes_max: _Optional[int] = ...) -> None: ...
