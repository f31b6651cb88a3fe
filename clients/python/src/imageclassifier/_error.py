"""Errors: one exception for each thing that a caller can do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"
_REQUEST_ID = "x-request-id"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ClassifierError(Exception):
    """A request failed, or one image of several.

    `reason` is one of the contract's ErrorReason, or "" if the server was not reached. `message` says what the caller can do.
    `retry_after` is the server's retry hint in seconds, if it sent one.
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
        """Whether the same request may succeed later."""
        return self.retry_after is not None or self.code is grpc.StatusCode.UNAVAILABLE

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"


class InvalidRequest(ClassifierError):
    """The image or an option is invalid: change it before sending again."""


class Unavailable(ClassifierError):
    """The server cannot be reached, is starting, stopping or busy: try again later."""


class Unauthenticated(ClassifierError):
    """The access token is missing or unknown, or may not do this."""


class DeadlineExceeded(ClassifierError):
    """There was no response in time."""


class ServerError(ClassifierError):
    """The server failed; its log has the cause under `request_id`."""


_CLASSES: dict[grpc.StatusCode, type[ClassifierError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.UNIMPLEMENTED: InvalidRequest,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: Unauthenticated,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}


def from_status(status: status_pb2.Status, request_id: str = "") -> ClassifierError:
    """The error in a `google.rpc.Status`: of one image, or of a whole request."""
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after: float | None = None
    for detail in status.details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _CLASSES.get(code, ServerError)(
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
    """The error of a whole request; `metadata` are its initial and trailing metadata, if any."""
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
    """The server ended the response before it had answered every image."""
    return ServerError("the server sent no response for this image", code=grpc.StatusCode.INTERNAL)


def too_large(image_bytes: int, image_bytes_max: int) -> ClassifierError:
    """The error that the server would send for an image of this size, without sending the image."""
    return InvalidRequest(
        f"the image has {image_bytes} bytes, but the server accepts at most {image_bytes_max}: send a smaller one",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="IMAGE_TOO_LARGE",
        metadata={"bytes": str(image_bytes), "bytes_max": str(image_bytes_max)},
    )
