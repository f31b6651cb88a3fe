"""Puts load on a server. grpcio checks the labels first; then h2load sends requests and times them without decoding responses."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc

from report import ROOT, median
from servers import Server

METHOD = "/imageclassifier.ImageClassifier/Classify"
CHECK_TIMEOUT_S = 60
PAUSE_S = 0.1
"""Pause before each load, because onnxruntime's threads spin for 40 ms after another server's last request."""


def generate_code(folder: Path) -> None:
    """Writes the contract's Python code into `folder` and adds it to the import path."""
    proto = ROOT / "proto"
    arguments = [f"-I{proto}", f"--python_out={folder}", f"--grpc_python_out={folder}", "image_classifier.proto"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    sys.path.insert(0, str(folder))


class Workload:
    """A Classify request for one image, and the expected label."""

    def __init__(self, image: bytes, label: str) -> None:
        import image_classifier_pb2 as messages

        self.request = messages.ClassifyImageRequest(image_data=image)
        self.response_type = messages.ClassifyImageResponse
        self.label = label

    def frame(self) -> bytes:
        """The request with gRPC's prefix: a zero byte for "not compressed", and its length."""
        message = self.request.SerializeToString()
        return bytes([0]) + len(message).to_bytes(4) + message

    def check(self, address: str, in_flight: int) -> None:
        """Sends `in_flight` requests at once and checks that all responses have the right label."""
        with grpc.insecure_channel(address) as channel:
            classify = channel.unary_unary(
                METHOD,
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=self.response_type.FromString,
            )
            calls = [classify.future(self.request, timeout=CHECK_TIMEOUT_S) for _ in range(in_flight)]
            labels = {call.result().label for call in calls}
        if labels != {self.label}:
            raise SystemExit(f"the server at {address} returned {labels} instead of {self.label}")


def load(
    server: Server, workload: Workload, requests: int, in_flight: int, per_second: int | None = None
) -> dict[str, float]:
    """Requests per second, the median time of a request, and the server's CPU time per request.

    With `per_second`, requests are sent at that rate instead of one after the other.
    """
    pace = [f"--rps={per_second}"] if per_second else []
    time.sleep(PAUSE_S)
    cpu_s = server.cpu_s()
    with tempfile.NamedTemporaryFile() as body, tempfile.NamedTemporaryFile() as log:
        Path(body.name).write_bytes(workload.frame())
        out = subprocess.run(
            ["h2load", "-n", str(requests), "-c", "1", "-m", str(in_flight), "-d", body.name, "--log-file", log.name,
             "-H", "content-type: application/grpc", "-H", "te: trailers", *pace, f"http://{server.address}{METHOD}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        times = [int(line.split()[2]) / 1000 for line in Path(log.name).read_text().splitlines()]
    rate, succeeded, data = (
        re.search(pattern, out) for pattern in (r"([\d.]+) req/s", r"(\d+) succeeded", r"headers .*\((\d+)\) data")
    )
    # A rejected request has HTTP status 200 too, but its response has no message.
    expected_bytes = requests * len(workload.label)
    if not (rate and succeeded and data) or int(succeeded[1]) < requests or int(data[1]) < expected_bytes:
        raise SystemExit(f"h2load of {server.name}: some requests failed:\n{out}")
    cpu_ms = (server.cpu_s() - cpu_s) / requests * 1000
    return {"calls_per_s": float(rate[1]), "p50_ms": median(times), "cpu_ms": cpu_ms}
