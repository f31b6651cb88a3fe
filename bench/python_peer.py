"""A server with the same contract as a Python user would write it: grpcio, Pillow and ONNX Runtime.

usage: python_peer.py ADDRESS MODEL.onnx LABELS.txt THREADS    with the contract's generated code on PYTHONPATH
"""

import sys
from concurrent import futures

import grpc
import image_classifier_pb2 as messages
import image_classifier_pb2_grpc as service
import numpy as np
import onnxruntime

from pillow_input import prepare

HANDLERS = 8
MESSAGE_BYTES_MAX = 16 << 20


class Classifier(service.ImageClassifierServicer):
    def __init__(self, model: str, labels: str, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name
        with open(labels) as lines:
            self.labels = lines.read().splitlines()

    def Classify(
        self, request: messages.ClassifyImageRequest, context: grpc.ServicerContext
    ) -> messages.ClassifyImageResponse:
        try:
            input = prepare(request.image_data)
        except OSError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        logits = self.session.run(None, {self.input: np.ascontiguousarray(input)})[0][0]
        exponentials = np.exp(logits - logits.max())
        best = int(logits.argmax())
        confidence = float(exponentials[best] / exponentials.sum())
        return messages.ClassifyImageResponse(label=self.labels[best], confidence=confidence)


def main(address: str, model: str, labels: str, threads: str) -> None:
    server = grpc.server(
        futures.ThreadPoolExecutor(HANDLERS), options=[("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
    )
    service.add_ImageClassifierServicer_to_server(Classifier(model, labels, int(threads)), server)
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
