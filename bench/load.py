"""Calls in numbers: checked with grpcio, counted and timed by h2load, which does not look into answers."""

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
"""Before each load: onnxruntime's threads spin for 40 ms after another server's last call."""


def generate_code(folder: Path) -> None:
    """Writes the contract's Python code into `folder`, and lets it be imported."""
    proto = ROOT / "proto"
    arguments = [f"-I{proto}", f"--python_out={folder}", f"--grpc_python_out={folder}", "image_classifier.proto"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    sys.path.insert(0, str(folder))


class Call:
    """One picture to be classified, and what has to come back."""

    def __init__(self, picture: bytes, label: str) -> None:
        import image_classifier_pb2 as messages

        self.request = messages.ClassifyImageRequest(image_data=picture)
        self.answer = messages.ClassifyImageResponse
        self.label = label

    def frame(self) -> bytes:
        """The request as gRPC sends it: not compressed, length, message."""
        message = self.request.SerializeToString()
        return bytes([0]) + len(message).to_bytes(4) + message

    def check(self, address: str, in_flight: int) -> None:
        """Asks as many times at once as the load will, and wants the right label every time."""
        with grpc.insecure_channel(address) as channel:
            classify = channel.unary_unary(
                METHOD,
                request_serializer=lambda request: request.SerializeToString(),
                response_deserializer=self.answer.FromString,
            )
            calls = [classify.future(self.request, timeout=CHECK_TIMEOUT_S) for _ in range(in_flight)]
            labels = {call.result().label for call in calls}
        if labels != {self.label}:
            raise SystemExit(f"the server at {address} says {labels}, not {self.label}")


def load(server: Server, call: Call, calls: int, in_flight: int) -> dict[str, float]:
    """Calls a second, the median time of a call, and what the server computed for each."""
    time.sleep(PAUSE_S)
    cpu_s = server.cpu_s()
    with tempfile.NamedTemporaryFile() as body, tempfile.NamedTemporaryFile() as log:
        Path(body.name).write_bytes(call.frame())
        out = subprocess.run(
            ["h2load", "-n", str(calls), "-c", "1", "-m", str(in_flight), "-d", body.name, "--log-file", log.name,
             "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://{server.address}{METHOD}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        times = [int(line.split()[2]) / 1000 for line in Path(log.name).read_text().splitlines()]
    rate, succeeded, data = (
        re.search(pattern, out) for pattern in (r"([\d.]+) req/s", r"(\d+) succeeded", r"headers .*\((\d+)\) data")
    )
    # A refusal has status 200 too, but no message.
    if not (rate and succeeded and data) or int(succeeded[1]) < calls or int(data[1]) < calls * len(call.label):
        raise SystemExit(f"h2load of {server.name}: not every call was answered:\n{out}")
    cpu_ms = (server.cpu_s() - cpu_s) / calls * 1000
    return {"calls_per_s": float(rate[1]), "p50_ms": median(times), "cpu_ms": cpu_ms}
