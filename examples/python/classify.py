"""python classify.py FILE [SERVER]: classifies an image. The first contract, ../seed, is enough for it."""

import sys
from pathlib import Path

import grpc
from image_classifier_pb2 import ClassifyImageRequest
from image_classifier_pb2_grpc import ImageClassifierStub

file, server = [*sys.argv[1:], "localhost:50051"][:2]
with grpc.insecure_channel(server) as channel:
    request = ClassifyImageRequest(image_data=Path(file).read_bytes())
    response = ImageClassifierStub(channel).Classify(request, timeout=10)
print(f"{response.label} {100 * response.confidence:.1f} %")
