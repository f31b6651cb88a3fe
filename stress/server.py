"""Starts, observes and stops a server process."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from report import OUTPUT, ROOT

START_TIMEOUT_S = 60
CLEAR_PEAK = "5"
"""Written to /proc/PID/clear_refs, it resets the peak of resident memory to the current value."""


def program() -> Path:
    """Path of the release server, or of the one in IMAGECLASSIFIER_SERVER_BINARY."""
    return Path(os.environ.get("IMAGECLASSIFIER_SERVER_BINARY", ROOT / "target/release/imageclassifier-server"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_s(process: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Server:
    """A running server, ready after construction. `stop` or the end of a `with` block kills it."""

    def __init__(self, name: str, *options: str, port: int = 0) -> None:
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.metrics_address = f"127.0.0.1:{free_port()}"
        OUTPUT.mkdir(parents=True, exist_ok=True)
        self.log = OUTPUT / f"{name}.log"
        command = [program(), "--listen", self.address, "--metrics-listen", self.metrics_address, "--log", "warn"]
        # The server's own environment variables must not change what is measured.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("IMAGECLASSIFIER_")}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the server did not start:\n{self.log.read_text()}")
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether its health is SERVING."""
        with grpc.insecure_channel(self.address) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            try:
                return check(b"", timeout=1) == b"\x08\x01"
            except grpc.RpcError:
                return False

    def alive(self) -> bool:
        return self.process.poll() is None

    def resident_bytes(self) -> int:
        return self._status("VmRSS") * 1024

    def peak_bytes(self) -> int:
        """Peak of resident memory since the start or the last `reset_peak`."""
        return self._status("VmHWM") * 1024

    def reset_peak(self) -> None:
        Path(f"/proc/{self.process.pid}/clear_refs").write_text(CLEAR_PEAK)

    def threads(self) -> int:
        return self._status("Threads")

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    def _status(self, field: str) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)
        if not found:
            raise SystemExit(f"the server has exited:\n{self.log.read_text()[-2000:]}")
        return int(found[1])

    def metric(self, series: str) -> float:
        """The current value of a series such as `imageclassifier_connections`."""
        with urllib.request.urlopen(f"http://{self.metrics_address}/metrics", timeout=10) as response:
            for line in response.read().decode().splitlines():
                name, _, value = line.rpartition(" ")
                if name == series:
                    return float(value)
        raise SystemExit(f"the server has no metric {series}")

    def inferences(self) -> int:
        return int(self.metric('imageclassifier_stage_seconds_count{stage="inference"}'))

    def panics(self) -> float:
        return self.metric("imageclassifier_panics_total")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def duration_options(**seconds: float) -> Sequence[str]:
    """Command-line options for durations in seconds, for example `--idle-timeout 3`."""
    return [word for name, value in seconds.items() for word in (f"--{name.replace('_', '-')}", str(value))]
