"""python prepared.py FILE [SERVER]: the three best guesses, the way of Triton's image_client.py: ask what the model wants,
prepare the picture here, send numbers, have the server pick the best classes."""

import sys

import numpy as np
from PIL import Image, ImageOps
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, model_config_pb2
from tritonclient.utils import triton_to_np_dtype

MODEL = "efficientnet-lite0-preprocessed"


def prepare(file: str, size: int, dtype: type) -> np.ndarray:
    """As GetModel's preprocessing says: the centre square, resized, (x - 127) / 128; channels first."""
    picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    side = min(picture.size) * size // (size + 32)
    left, top = (-(-(length - side) // 2) for length in picture.size)
    square = picture.crop((left, top, left + side, top + side)).resize((size, size), Image.BICUBIC)
    return ((np.asarray(square, dtype) - 127) / 128).transpose(2, 0, 1)


file, server = [*sys.argv[1:], "localhost:50051"][:2]
client = InferenceServerClient(server)
metadata = client.get_model_metadata(MODEL)
config = client.get_model_config(MODEL).config
(wanted,), (output,) = metadata.inputs, metadata.outputs
assert config.input[0].format == model_config_pb2.ModelInput.FORMAT_NCHW
pictures = prepare(file, wanted.shape[-1], triton_to_np_dtype(wanted.datatype))[np.newaxis]
tensor = InferInput(wanted.name, pictures.shape, wanted.datatype)
tensor.set_data_from_numpy(pictures)
answer = client.infer(MODEL, [tensor], outputs=[InferRequestedOutput(output.name, class_count=3)])
for guess in answer.as_numpy(output.name)[0]:
    value, index, label = guess.decode().split(":")
    print(f"{label} {value} ({index})")
