"""Starts and stops the servers that are compared."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import onnxruntime

from report import BUILT, PROGRAMS, ROOT

MODEL = BUILT / "efficientnet_lite0.onnx"
LABELS = ROOT / "model/data/imagenet1k_labels.txt"
PORT_FIRST = 50171
START_TIMEOUT_S = 60


class Server:
    """A process that serves, from `start` to `stop`."""

    def __init__(self, name: str, address: str, command: Sequence[str | Path], **environment: str) -> None:
        self.name = name
        self.address = address
        self.process = subprocess.Popen(command, env=os.environ | environment)

    def wait(self) -> None:
        """Until it takes calls."""
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(START_TIMEOUT_S)

    def memory_mb(self) -> dict[str, float]:
        """What is resident now, and the most that ever was."""
        status = dict(line.split(":", 1) for line in open(f"/proc/{self.process.pid}/status"))
        return {name: int(status[field].split()[0]) / 1024 for name, field in (("now", "VmRSS"), ("most", "VmHWM"))}

    def cpu_s(self) -> float:
        """Time that its threads have computed so far."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def contenders(code: Path) -> list[Server]:
    """Ours and both peers, each of them in both ways to give ONNX Runtime two cores."""
    addresses = (f"127.0.0.1:{port}" for port in range(PORT_FIRST, PORT_FIRST + 10))
    library = next(Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"))
    address = next(addresses)
    servers = [
        Server("ours", address, [ROOT / "target/release/imageclassifier-server", "--listen", address, "--log", "warn"])
    ]
    for threads in (1, 2):
        address = next(addresses)
        command = [sys.executable, ROOT / "bench/python_peer.py", address, MODEL, LABELS, str(threads)]
        servers.append(Server(f"python, {threads} a call", address, command, PYTHONPATH=str(code)))
    for sessions, threads in ((2, 1), (1, 2)):
        address = next(addresses)
        command = [PROGRAMS / "rust-peer", address, MODEL, LABELS, str(sessions), str(threads)]
        name = f"rust, {sessions} x {threads}"
        servers.append(Server(name, address, command, ORT_DYLIB_PATH=str(library)))
    return servers
