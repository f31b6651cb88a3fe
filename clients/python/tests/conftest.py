"""The real server that SERVER names, and one that fails on purpose."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from imageclassifier._proto import image_classifier_pb2 as pb
from imageclassifier._proto import image_classifier_pb2_grpc as pb_grpc


@pytest.fixture(scope="session")
def server() -> str:
    return os.environ["SERVER"]


@pytest.fixture(scope="session")
def coffee() -> Path:
    return Path(os.environ["COFFEE"])


def status(code: grpc.StatusCode, reason: str, retry_after_ms: int | None = None) -> status_pb2.Status:
    details = [error_details_pb2.ErrorInfo(reason=reason, domain="imageclassifier", metadata={"hint": "yes"})]
    if retry_after_ms is not None:
        delay = duration_pb2.Duration(nanos=retry_after_ms * 1_000_000)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code.value[0], message=f"because of {reason}", details=packed)


OVERLOADED = status(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after_ms=200)
INVALID = status(grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_EMPTY")


class Scripted(pb_grpc.ImageClassifierServicer):
    """Fails each request or image as often as `failures` says, then answers with the image's bytes as label."""

    def __init__(self) -> None:
        self.failures: list[status_pb2.Status] = []
        self.seen: list[bytes] = []
        self.metadata: dict[str, str] = {}
        self.batch_images_max = 2
        self.batches: list[int] = []
        self.stream_dies_after: list[int] = []
        self.published: list[tuple[str, int, dict[str, bytes]]] = []
        self.kept: list[tuple[bytes, str]] = []

    def outcome(self, request: pb.ClassifyImageRequest) -> dict[str, object]:
        self.seen.append(request.image_data)
        if request.image_data == b"":
            return {"error": INVALID}
        if self.failures:
            return {"error": self.failures.pop(0)}
        return {"response": pb.ClassifyImageResponse(label=request.image_data.decode())}

    def Classify(self, request, context):
        self.metadata = dict(context.invocation_metadata())
        outcome = self.outcome(request)
        if "error" in outcome:
            reject(context, outcome["error"])
        return outcome["response"]

    def GetModel(self, request, context):
        limits = pb.Limits(image_bytes_max=100, batch_images_max=self.batch_images_max, message_bytes_max=1000)
        return pb.GetModelResponse(name="scripted", limits=limits)

    def ClassifyBatch(self, batch, context):
        self.batches.append(len(batch.requests))
        for index, request in reversed(list(enumerate(batch.requests))):
            yield pb.ClassifyBatchResponse(index=index, id=request.id, **self.outcome(request))

    def ClassifyStream(self, requests, context):
        dies_after = self.stream_dies_after.pop(0) if self.stream_dies_after else None
        for index, request in enumerate(requests):
            if index == dies_after:
                reject(context, status(grpc.StatusCode.UNAVAILABLE, "NOT_READY", retry_after_ms=50))
            yield pb.ClassifyStreamResponse(index=index, id=request.id, **self.outcome(request))

    def ListModels(self, request, context):
        states = (pb.MODEL_STATE_SERVING, pb.MODEL_STATE_UNLOADED, 99)
        models = [pb.ModelSummary(name=f"model {state}", state=state, training="no JSON") for state in states]
        return pb.ListModelsResponse(models=models)

    def Embed(self, request, context):
        outcome = self.outcome(request)
        if "error" in outcome:
            reject(context, outcome["error"])
        return pb.EmbedResponse(embedding=[0.5, 2.0], model_revision=request.model)

    def PublishModel(self, requests, context):
        files: dict[str, bytes] = {}
        name, version = "", 0
        for request in requests:
            name, version = request.name or name, request.version or version
            files[request.file] = files.get(request.file, b"") + request.data
        self.published.append((name, version, files))
        if self.failures:
            reject(context, self.failures.pop(0))
        return pb.PublishModelResponse(model=pb.ModelSummary(name=name, version=version or 1))

    def Feedback(self, request, context):
        self.kept.append((request.image_data, request.label))
        if self.failures:
            reject(context, self.failures.pop(0))
        return pb.FeedbackResponse(request_id="r-1")


def reject(context, why: status_pb2.Status) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", why.SerializeToString()),))
    context.abort(next(code for code in grpc.StatusCode if code.value[0] == why.code), why.message)


@contextlib.contextmanager
def serve_scripted(
    service: Scripted, address: str = "127.0.0.1:0", threads: int = 4, options: Sequence[tuple[str, int]] = ()
) -> Iterator[tuple[str, grpc.Server]]:
    """Serves `service`; yields its address."""
    server = grpc.server(futures.ThreadPoolExecutor(threads), options=options)
    pb_grpc.add_ImageClassifierServicer_to_server(service, server)
    port = server.add_insecure_port(address)
    server.start()
    yield f"127.0.0.1:{port}", server
    server.stop(None)


@pytest.fixture
def scripted() -> Iterator[tuple[str, Scripted]]:
    service = Scripted()
    with serve_scripted(service) as (address, _):
        yield address, service
