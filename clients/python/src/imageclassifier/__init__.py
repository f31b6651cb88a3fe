"""Asks an imageclassifier server what a picture shows.

`Client` is for scripts and threads, `AsyncClient` for asyncio; both do the same. This package knows the server's contract
and nothing of the network behind it.
"""

from ._answer import Answer, Crop, Heatmap, Limits, Model, Prediction, Result, Timings
from ._async import AsyncClient
from ._error import (
    ClassifierError,
    DeadlineExceeded,
    NotAuthenticated,
    RequestRefused,
    ServerFault,
    TryAgain,
)
from ._picture import Picture
from ._sync import Client

__all__ = [
    "Answer",
    "AsyncClient",
    "ClassifierError",
    "Client",
    "Crop",
    "DeadlineExceeded",
    "Heatmap",
    "Limits",
    "Model",
    "NotAuthenticated",
    "Picture",
    "Prediction",
    "RequestRefused",
    "Result",
    "ServerFault",
    "Timings",
    "TryAgain",
]
