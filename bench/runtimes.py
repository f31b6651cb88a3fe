"""The engines that are compared, each on one ONNX file with images of 224 x 224 pixels."""

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
import openvino


class Engine(Protocol):
    def feed(self, images: np.ndarray) -> None:
        """Sets the input of the next run, `[batch, channel, height, width]`. Call it before the clock starts."""

    def run(self) -> np.ndarray:
        """The logits, `[batch, class]`."""


class OnnxRuntime:
    def __init__(self, model: Path, batch: int, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        options.add_free_dimension_override_by_name("batch", batch)
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def feed(self, images: np.ndarray) -> None:
        self.images = {self.input: images}

    def run(self) -> np.ndarray:
        return self.session.run(None, self.images)[0]


class OpenVino:
    """OpenVINO with f32. By default it computes in bf16 on CPUs that support it."""

    def __init__(self, model: Path, batch: int, threads: int) -> None:
        core = openvino.Core()
        network = core.read_model(model)
        network.reshape([batch, 3, 224, 224])
        self.request = core.compile_model(
            network,
            "CPU",
            {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"},
        ).create_infer_request()

    def feed(self, images: np.ndarray) -> None:
        self.images = images

    def run(self) -> np.ndarray:
        return self.request.infer([self.images], share_inputs=True, share_outputs=True)[0]
