"""The page in Chromium with 200 images, through Envoy: the browser test of e2e/, whose server is three behind Envoy."""

import os
import re
import shlex
import subprocess
from pathlib import Path

from fleet.envoy import Envoy
from fleet.replicas import running
from report import OUTPUT, ROOT, Figure, report_progress
from server import program

TEST = "200 images"
SECONDS_MAX = 240


def figures() -> list[Figure]:
    direct = _run(program())
    with running("page", 3) as replicas, Envoy("page", [one.port for one in replicas]) as envoy:
        before = [replica.server.inferences() for replica in replicas]
        proxied = _run(_stand_in(envoy))
        gained = [replica.server.inferences() - then for replica, then in zip(replicas, before)]
    report_progress(f"page: direct {direct[1]}, through Envoy {proxied[1]}")
    what = "200 images in Chromium: answers of the page and of the command line"
    return [
        Figure("fleet page", f"{what}, direct", "the same", direct[1], direct[0]),
        Figure("fleet page", f"{what}, through Envoy", "the same", proxied[1], proxied[0]),
        Figure("fleet page", "images that each server classified", "some", ", ".join(map(str, gained)), all(gained)),
    ]


def _stand_in(envoy: Envoy) -> Path:
    """A program for the test to start as a server: it says where Envoy listens. The other server of the tests is a real one."""
    file = OUTPUT / "server-behind-envoy"
    file.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *127.0.0.1:0*) echo "serving three servers on http://{envoy.address}" >&2; exec sleep {SECONDS_MAX};; esac\n'
        f'exec {shlex.quote(str(program()))} "$@"\n'
    )
    file.chmod(0o755)
    return file


def _run(server: Path) -> tuple[bool, str]:
    """Whether the browser test passes with this program as the server, and the times that it prints."""
    command_line = os.environ.get("IMAGECLASSIFIER_CLI_BINARY", ROOT / "target/release/imageclassifier")
    environment = os.environ | {
        "IMAGECLASSIFIER_SERVER_BINARY": str(server.absolute()),
        "IMAGECLASSIFIER_CLI_BINARY": str(Path(command_line).absolute()),
    }
    command = ["npx", "playwright", "test", "batch", "-g", TEST]
    try:
        done = subprocess.run(
            command, cwd=ROOT / "e2e", env=environment, capture_output=True, text=True, timeout=SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        return False, f"no result after {SECONDS_MAX} s"
    times = re.search(r"page [\d.]+ s, command line [\d.]+ s", done.stdout)
    if done.returncode or not times:
        report_progress(done.stdout[-3000:] + done.stderr[-1000:])
    return done.returncode == 0, times[0] if times else "failed"
