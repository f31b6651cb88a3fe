"""python encoded.py FILE [SERVER]: classifies an encoded image with Triton's client."""

import sys
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

file, server = [*sys.argv[1:], "localhost:50051"][:2]
images = np.array([Path(file).read_bytes()], dtype=np.object_)
tensor = InferInput("image", images.shape, "BYTES")
tensor.set_data_from_numpy(images)
outputs = [InferRequestedOutput("label"), InferRequestedOutput("probabilities")]
client = InferenceServerClient(server)
try:
    response = client.infer("efficientnet-lite0", [tensor], outputs=outputs, client_timeout=10)
except InferenceServerException as error:
    sys.exit(f"{error.status()}: {error.message()}")
label, probabilities = response.as_numpy("label")[0].decode(), response.as_numpy("probabilities")[0]
print(f"{label} {probabilities.max():.6f}")
