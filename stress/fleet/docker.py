"""A Docker engine of its own, with images made of programs that are here: it needs no registry. Needs root."""

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from report import OUTPUT

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30
NAME_SERVICE = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"]
"""What the C library loads by name to resolve the names of services."""
BRIDGES = ["docker0", "docker_gwbridge"]
"""Networks that the engine leaves behind."""


class Docker:
    """A running engine. The end of a `with` block stops it, its containers and its networks."""

    def __init__(self) -> None:
        self.programs = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin") for name in ("dockerd", "docker")]
        if not all(self.programs):
            raise SystemExit("there is no Docker engine: install Debian's docker.io and iptables")
        if any(Path(f"/sys/class/net/{bridge}").exists() for bridge in BRIDGES):
            raise SystemExit(f"another Docker engine runs here, or has left {' or '.join(BRIDGES)}: stop it, and delete them")
        OUTPUT.mkdir(parents=True, exist_ok=True)
        # Short, because the paths of sockets are.
        self.folder = tempfile.TemporaryDirectory(prefix="docker-", ignore_cleanup_errors=True)
        folder = Path(self.folder.name)
        self.environment = os.environ | {"DOCKER_HOST": f"unix://{folder}/socket"}
        command = [
            self.programs[0], "--host", self.environment["DOCKER_HOST"], "--data-root", folder / "data",
            "--exec-root", folder / "exec", "--pidfile", folder / "pid",
        ]  # fmt: skip
        with open(OUTPUT / "dockerd.log", "wb") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while subprocess.run([self.programs[1], "info"], env=self.environment, capture_output=True).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the Docker engine did not start: {OUTPUT / 'dockerd.log'} says why")
            time.sleep(0.2)

    def run(self, *arguments: str | Path, stdin: bytes | None = None, **environment: str) -> str:
        """Standard output of `docker ARGUMENTS`."""
        done = subprocess.run(
            [self.programs[1], *map(str, arguments)],
            env=self.environment | environment, input=stdin, capture_output=True,
        )  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(f"docker {' '.join(map(str, arguments))}: {done.stderr.decode()}")
        return done.stdout.decode()

    def add_image(self, image: str, program: Path, user: str = "0") -> None:
        """An image of a program and the libraries that it loads."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w") as files:
            files.add(program, program.name)
            for library in _libraries(program):
                files.add(library.resolve(), library)
            names = tarfile.TarInfo("etc/nsswitch.conf")
            names.size = len(line := b"hosts: files dns\n")
            files.addfile(names, io.BytesIO(line))
            writable = tarfile.TarInfo("tmp")
            writable.type, writable.mode = tarfile.DIRTYPE, 0o1777
            files.addfile(writable)
        changes = (f'ENTRYPOINT ["/{program.name}"]', f"USER {user}")
        options = [part for change in changes for part in ("--change", change)]
        self.run("import", *options, "-", image, stdin=content.getvalue())

    def stop(self) -> None:
        if self.process.poll() is None:
            subprocess.run([self.programs[1], "swarm", "leave", "--force"], env=self.environment, capture_output=True)
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for bridge in BRIDGES:
            subprocess.run(["ip", "link", "delete", bridge], capture_output=True)
        self.folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _libraries(program: Path) -> Sequence[Path]:
    """Those that the program is linked with, and those of the name service; none of a static program."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    found = [Path(path) for path in re.findall(r"/\S+", linked) if Path(path).exists()]
    libc = next((path for path in found if path.name == "libc.so.6"), None)
    if libc is None:
        return found
    named = [libc.parent / name for name in NAME_SERVICE]
    return list(dict.fromkeys([*found, *(path for path in named if path.exists())]))
