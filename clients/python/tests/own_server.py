"""A server with a model that was trained on the spot: plain images of two colours."""

import contextlib
import hashlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

PROGRAMS = Path(__file__).parents[3] / "target" / "debug"
COLOURS = {"green": (30, 160, 60), "red": (200, 30, 30)}
START_TIMEOUT = 60.0
"""Seconds; far more than a start takes, for busy machines."""
PUBLISHER, READER = "publishers-token", "readers-token"
"""Access tokens."""


def plain(label: str, shade: int = 0) -> Image.Image:
    """An image of the class `label`."""
    return Image.new("RGB", (64, 64), tuple(value + 12 * shade for value in COLOURS[label]))


def train(folder: Path, model_dir: Path) -> None:
    """Writes photographs into `folder` and a model of them into `model_dir`."""
    for label in COLOURS:
        photographs = folder / label
        photographs.mkdir(parents=True)
        for shade in range(3):
            plain(label, shade).save(photographs / f"{shade}.png")
    train_on(folder, model_dir)


def train_on(folder: Path, model_dir: Path) -> None:
    """Trains a model on the photographs in `folder`, without the user's cache."""
    arguments = [folder, "--output", model_dir, "--cache", folder.with_name("cache")]
    subprocess.run([PROGRAMS / "imageclassifier", "train", *arguments], check=True)


@contextlib.contextmanager
def serve(folder: Path, *options: str | Path) -> Iterator[str]:
    """Runs a server with `options` and the models in `folder`; yields its address."""
    log = folder / "log"
    command = [PROGRAMS / "imageclassifier-server", "--listen", "127.0.0.1:0", "--models", folder / "models", *options]
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr) as server:
        try:
            deadline = time.monotonic() + START_TIMEOUT
            while not (ready := re.search(r"serving .* on http://(\S+)\n(?s:.*) ready\n", log.read_text())):
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield ready[1]
        finally:
            server.kill()


def token_file(folder: Path) -> Path:
    """Tokens of which one may publish."""
    file = folder / "tokens"
    digests = {token: hashlib.sha256(token.encode()).hexdigest() for token in (PUBLISHER, READER)}
    file.write_text(f"publisher {digests[PUBLISHER]} publish\nreader {digests[READER]}\n")
    return file
