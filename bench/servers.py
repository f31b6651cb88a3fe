"""Starts and stops the servers that the benchmarks compare."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import onnxruntime

from report import BUILD_DIR, PROGRAMS, ROOT

MODEL = BUILD_DIR / "efficientnet_lite0.onnx"
LABELS = ROOT / "model/data/imagenet1k_labels.txt"
PORT_FIRST = 50171
START_TIMEOUT_S = 60


class Server:
    """A server process, from construction to `stop`."""

    def __init__(self, name: str, address: str, command: Sequence[str | Path], **environment: str) -> None:
        self.name = name
        self.address = address
        self.process = subprocess.Popen(command, env=os.environ | environment)

    def wait(self) -> None:
        """Waits until the server accepts requests."""
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(START_TIMEOUT_S)

    def memory_mb(self) -> dict[str, float]:
        """Resident memory now and at its peak."""
        status = dict(line.split(":", 1) for line in open(f"/proc/{self.process.pid}/status"))
        return {name: int(status[field].split()[0]) / 1024 for name, field in (("now", "VmRSS"), ("most", "VmHWM"))}

    def cpu_s(self) -> float:
        """CPU time of all threads so far."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def start_servers(code: Path) -> list[Server]:
    """Starts our server and both peers. Each peer runs in the two configurations that give ONNX Runtime two cores."""
    addresses = (f"127.0.0.1:{port}" for port in range(PORT_FIRST, PORT_FIRST + 10))
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"))
    address = next(addresses)
    servers = [
        Server("ours", address, [ROOT / "target/release/imageclassifier-server", "--listen", address, "--log", "warn"])
    ]
    for threads in (1, 2):
        address = next(addresses)
        command = [sys.executable, ROOT / "bench/python_peer.py", address, MODEL, LABELS, str(threads)]
        servers.append(Server(f"python, {threads} per request", address, command, PYTHONPATH=str(code)))
    for sessions, threads in ((2, 1), (1, 2)):
        address = next(addresses)
        command = [PROGRAMS / "rust-peer", address, MODEL, LABELS, str(sessions), str(threads)]
        name = f"rust, {sessions} x {threads}"
        servers.append(Server(name, address, command, ORT_DYLIB_PATH=str(library)))
    return servers
