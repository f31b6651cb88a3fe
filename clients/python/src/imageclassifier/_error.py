"""Why there is no answer: one exception for each thing that a caller can do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ClassifierError(Exception):
    """A call, or one picture of several, got no answer.

    `reason` is one of the contract's ErrorReason, or "" where the server was not reached. `retry_after` is the server's hint
    in seconds, if it gave one.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        self.request_id = request_id

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.retry_after is not None or self.code is grpc.StatusCode.UNAVAILABLE

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"


class RequestRefused(ClassifierError):
    """The picture or an option is at fault: send another."""


class TryAgain(ClassifierError):
    """The server is out of reach, starting, stopping or busy: send the same later."""


class NotAuthenticated(ClassifierError):
    """No access token, or an unknown one."""


class DeadlineExceeded(ClassifierError):
    """There was no answer in time."""


class ServerFault(ClassifierError):
    """The server failed; its log says more under `request_id`."""


_CLASSES: dict[grpc.StatusCode, type[ClassifierError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: RequestRefused,
    grpc.StatusCode.NOT_FOUND: RequestRefused,
    grpc.StatusCode.OUT_OF_RANGE: RequestRefused,
    grpc.StatusCode.UNIMPLEMENTED: RequestRefused,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TryAgain,
    grpc.StatusCode.UNAVAILABLE: TryAgain,
    grpc.StatusCode.UNAUTHENTICATED: NotAuthenticated,
    grpc.StatusCode.PERMISSION_DENIED: NotAuthenticated,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


def from_status(status: status_pb2.Status, request_id: str = "") -> ClassifierError:
    """The error of one picture, or of a call that says why."""
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after: float | None = None
    for detail in status.details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _CLASSES.get(code, ServerFault)(
        status.message,
        code=code,
        reason=info.reason,
        metadata=info.metadata,
        retry_after=retry_after,
        request_id=info.metadata.get("request_id", request_id),
    )


def from_call(
    code: grpc.StatusCode | None,
    message: str | None,
    *metadata: Iterable[Any] | None,
) -> ClassifierError:
    """The error of a call; `metadata` are what came before and after its messages, if anything did."""
    values: dict[str, str | bytes] = {}
    for pairs in metadata:
        values.update((name, value) for name, value in pairs or ())
    status = status_pb2.Status()
    details = values.get(_DETAILS)
    if isinstance(details, bytes):
        status.ParseFromString(details)
    else:
        status.code = (code or grpc.StatusCode.UNKNOWN).value[0]
        status.message = message or ""
    return from_status(status, str(values.get(_REQUEST_ID, "")))


def unanswered() -> ClassifierError:
    """The server ended a call as if all were answered."""
    return ServerFault("the server sent no answer", code=grpc.StatusCode.INTERNAL)


def too_large(image_bytes: int, image_bytes_max: int) -> ClassifierError:
    """What the server would say to so large a picture, without sending it."""
    return RequestRefused(
        f"the picture has {image_bytes} bytes, more than the {image_bytes_max} that the server takes: send a smaller one",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="IMAGE_TOO_LARGE",
        metadata={"bytes": str(image_bytes), "bytes_max": str(image_bytes_max)},
    )
