"""python encoded.py FILE [SERVER]: what a picture shows, asked through Triton's client with the file as it is."""

import sys
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

file, server = [*sys.argv[1:], "localhost:50051"][:2]
pictures = np.array([Path(file).read_bytes()], dtype=np.object_)
image = InferInput("image", pictures.shape, "BYTES")
image.set_data_from_numpy(pictures)
outputs = [InferRequestedOutput("label"), InferRequestedOutput("probabilities")]
client = InferenceServerClient(server)
try:
    answer = client.infer("efficientnet-lite0", [image], outputs=outputs, client_timeout=10)
except InferenceServerException as error:
    sys.exit(f"{error.status()}: {error.message()}")
label, probabilities = answer.as_numpy("label")[0].decode(), answer.as_numpy("probabilities")[0]
print(f"{label} {probabilities.max():.6f}")
