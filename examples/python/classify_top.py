"""python classify_top.py FILE [SERVER]: prints the five most probable classes of an image, or the reason of the error. Needs
the contract in proto/, which adds top_k and predictions."""

import sys
from pathlib import Path

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from image_classifier_pb2 import ClassifyImageRequest
from image_classifier_pb2_grpc import ImageClassifierStub


def reason(error: grpc.RpcError) -> str:
    """The machine-readable reason that every failed request carries."""
    info = ErrorInfo()
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return info.reason
    return "without a reason"


file, server = [*sys.argv[1:], "localhost:50051"][:2]
with grpc.insecure_channel(server) as channel:
    request = ClassifyImageRequest(image_data=Path(file).read_bytes(), top_k=5)
    try:
        response = ImageClassifierStub(channel).Classify(request, timeout=10)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name} {reason(error)}: {error.details()}")
for prediction in response.predictions:
    print(f"{prediction.label} {100 * prediction.confidence:.1f} %")
