"""A client for an imageclassifier server: send an image, get the ImageNet classes that it shows.

`Client` is for scripts and threads, `AsyncClient` for asyncio; both have the same methods. This package knows the server's
contract, but not the network behind it.
"""

from typing import TYPE_CHECKING, Any

from ._answer import Answer, Crop, EmbedAnswer, Heatmap, Prediction, Result, Timings
from ._async import AsyncClient
from ._budget import RetryBudget
from ._deprecated import renamed_export
from ._error import (
    ClassifierError,
    DeadlineExceeded,
    InvalidRequest,
    ServerError,
    Unauthenticated,
    Unavailable,
)
from ._image import ImageInput
from ._model import Limits, Model, ModelState, ModelSummary
from ._sync import Client

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AsyncClient",
    "ClassifierError",
    "Client",
    "Crop",
    "DeadlineExceeded",
    "EmbedAnswer",
    "Heatmap",
    "ImageInput",
    "InvalidRequest",
    "Limits",
    "Model",
    "ModelState",
    "ModelSummary",
    "Prediction",
    "Result",
    "RetryBudget",
    "ServerError",
    "Timings",
    "Unauthenticated",
    "Unavailable",
    "__version__",
]

if TYPE_CHECKING:
    NotAuthenticated = Unauthenticated
    Picture = ImageInput
    RequestRefused = InvalidRequest
    ServerFault = ServerError
    TryAgain = Unavailable
else:

    def __getattr__(name: str) -> Any:
        return renamed_export(globals(), name)
