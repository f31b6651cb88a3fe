"""python prepared.py FILE [SERVER]: prints the three most probable classes of an image. As Triton's image_client.py, it reads
the model's metadata, prepares the tensor itself, and lets the server select the classes."""

import sys

import numpy as np
from PIL import Image, ImageOps
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, model_config_pb2
from tritonclient.utils import triton_to_np_dtype

MODEL = "efficientnet-lite0-preprocessed"


def prepare(file: str, size: int, dtype: type) -> np.ndarray:
    """[3, size, size], as GetModel describes the preprocessing: centre square, resize, (x - 127) / 128."""
    image = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    side = min(image.size) * size // (size + 32)
    left, top = (-(-(length - side) // 2) for length in image.size)
    square = image.crop((left, top, left + side, top + side)).resize((size, size), Image.BICUBIC)
    return ((np.asarray(square, dtype) - 127) / 128).transpose(2, 0, 1)


file, server = [*sys.argv[1:], "localhost:50051"][:2]
client = InferenceServerClient(server)
metadata = client.get_model_metadata(MODEL)
config = client.get_model_config(MODEL).config
(input,), (output,) = metadata.inputs, metadata.outputs
assert config.input[0].format == model_config_pb2.ModelInput.FORMAT_NCHW
images = prepare(file, input.shape[-1], triton_to_np_dtype(input.datatype))[np.newaxis]
tensor = InferInput(input.name, images.shape, input.datatype)
tensor.set_data_from_numpy(images)
response = client.infer(MODEL, [tensor], outputs=[InferRequestedOutput(output.name, class_count=3)])
for prediction in response.as_numpy(output.name)[0]:
    value, index, label = prediction.decode().split(":")
    print(f"{label} {value} ({index})")
