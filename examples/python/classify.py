"""python classify.py FILE [SERVER]: what the picture shows. Needs no more than the first, three-message contract."""

import sys
from pathlib import Path

import grpc
from image_classifier_pb2 import ClassifyImageRequest
from image_classifier_pb2_grpc import ImageClassifierStub

file, server = [*sys.argv[1:], "localhost:50051"][:2]
with grpc.insecure_channel(server) as channel:
    request = ClassifyImageRequest(image_data=Path(file).read_bytes())
    answer = ImageClassifierStub(channel).Classify(request, timeout=10)
print(f"{answer.label} {100 * answer.confidence:.1f} %")
