"""conformance.py SERVER_BINARY: writes docs/conformance.md. Installs every client library into target/conformance/, starts
the server, and runs all checks with each driver. Exits with 1 if a check fails for which known.json has no upstream issue, or
if a check passes for which it has one.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).parent.parent
HERE = ROOT / "conformance"
WORK = ROOT / "target/conformance"
COFFEE = ROOT / "model/tests/golden/photos/coffee.png"
CHECKS = {
    "unary": "Classify returns the right label and three predictions",
    "server stream": "ClassifyBatch returns a response for each image, and an error for an empty one",
    "bidi": "ClassifyStream: the client sends each image after it has received the response to the previous one",
    "error details": "an empty image is rejected; the client can read `ErrorInfo.reason`",
    "UTF-8": "an error message and its details contain Cyrillic letters, an emoji and a percent sign",
    "deadline": "a request of 10 MiB with a deadline of 3 ms ends in time, by the client's clock or the server's",
    "cancellation": "after a cancelled request, the next one on the same connection succeeds",
    "large message": "an image of 10 MiB is accepted; one byte more is rejected with IMAGE_TOO_LARGE",
    "metadata": "the `x-request-id` header equals the response's `request_id`",
    "compression": "a message compressed with gzip is accepted",
    "health": "`grpc.health.v1` reports SERVING",
    "reflection": "server reflection lists the services",
}
SIGNS = {"yes": "✓", "no": "✗", "none": "–"}


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    drivers = [python, javascript, go, triton]
    with server(sys.argv[1]) as address:
        rows = [row for driver in drivers for row in driver(address)]
    (ROOT / "docs/conformance.md").write_text(page(rows, known := json.loads((HERE / "known.json").read_text())))
    failed = {f"{title(row)}: {check}": cell for row in rows for check, cell in row["cells"].items() if cell["state"] == "no"}
    for cell in failed.keys() - known.keys():
        print(f"failed, without an upstream issue in known.json: {cell}: {failed[cell]['note']}", file=sys.stderr)
    for cell in known.keys() - failed.keys():
        print(f"passes now, remove it from known.json: {cell}", file=sys.stderr)
    sys.exit(failed.keys() != known.keys())


def python(address: str) -> Iterator[dict]:
    interpreter = environment("python", HERE / "python/requirements.txt")
    generated = WORK / "python-generated"
    generated.mkdir(exist_ok=True)
    run(interpreter, "-m", "grpc_tools.protoc", f"-I{ROOT}/proto", f"--python_out={generated}",
        f"--grpc_python_out={generated}", "image_classifier.proto")  # fmt: skip
    path = f"{interpreter.parent}:{os.environ['PATH']}"
    yield from rows(interpreter, "checks.py", address, COFFEE, cwd="python", PYTHONPATH=str(generated), PATH=path)


def javascript(address: str) -> Iterator[dict]:
    buf = environment("python", HERE / "python/requirements.txt").parent / "buf"
    folder = HERE / "js"
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=folder)
    path = f"{folder}/node_modules/.bin:{os.environ['PATH']}"
    run(buf, "generate", cwd=folder, env={**os.environ, "PATH": path})
    yield from rows("node", "checks.js", f"http://{address}", COFFEE, cwd="js")


def go(address: str) -> Iterator[dict]:
    """Uses Debian's packages, which ../examples/go/test.sh installs."""
    folder = WORK / "go"
    stubs = folder / "src/contract"
    stubs.mkdir(parents=True, exist_ok=True)
    run("protoc", f"-I{ROOT}/proto", f"--go_out=plugins=grpc,paths=source_relative:{stubs}", "image_classifier.proto")
    environment = {"GO111MODULE": "off", "GOPATH": f"{folder}:/usr/share/gocode", "GOCACHE": str(folder / "cache")}
    run("go", "build", "-o", folder / "checks", "checks.go", cwd=HERE / "go", env={**os.environ, **environment})
    version = run("dpkg-query", "-W", "-f", "${Version}", "golang-google-grpc-dev").partition("-")[0]
    for row in rows(folder / "checks", address, COFFEE, cwd="go"):
        yield {**row, "version": version}


def triton(address: str) -> Iterator[dict]:
    interpreter = environment("triton", HERE / "triton/requirements.txt")
    yield from rows(interpreter, "checks.py", address, COFFEE, cwd="triton")


def environment(name: str, requirements: Path) -> Path:
    """Path of a Python interpreter with the packages that `requirements` lists."""
    folder = WORK / f"{name}-venv"
    installed = folder / "requirements.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements)
        installed.write_text(requirements.read_text())
    return folder / "bin/python"


def rows(*command: object, cwd: str, **environment: str) -> Iterator[dict]:
    for line in run(*command, cwd=HERE / cwd, env={**os.environ, **environment}).splitlines():
        row = json.loads(line)
        print(title(row), "".join(SIGNS[row["cells"][check]["state"]] for check in CHECKS), file=sys.stderr)
        yield row


def run(*command: object, **options: object) -> str:
    return subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


@contextmanager
def server(binary: str) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen([binary, "--listen", address, "--log", "warn"])
    try:
        while not is_serving(address):
            assert process.poll() is None, f"{binary} exited with {process.returncode} before it was ready"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def is_serving(address: str) -> bool:
    """Whether the server's health is SERVING: grpc.health.v1 over gRPC-Web."""
    url = f"http://{address}/grpc.health.v1.Health/Check"
    check = Request(url, data=bytes(5), headers={"content-type": "application/grpc-web+proto"})
    try:
        with urlopen(check, timeout=10) as response:
            return bytes([0, 0, 0, 0, 2, 8, 1]) in response.read()  # a frame with the status SERVING
    except OSError:
        return False


def title(row: dict) -> str:
    return f"{row['name']}, {row['protocol']}"


def page(rows: list[dict], known: dict[str, str]) -> str:
    lines = [
        "# Conformance",
        "",
        "Third-party clients tested against this server. Generated by `cargo xtask conformance`; do not edit.",
        "✓ passes; – does not apply, the note says why; ✗ fails because of the upstream issue in the note.",
        "",
        f"| client | version | protocol | {' | '.join(CHECKS)} |",
        f"|---|---|---|{'---|' * len(CHECKS)}",
    ]
    notes: dict[str, int] = {}

    def with_note(text: str, note: str | None) -> str:
        return f"{text}<sup>{notes.setdefault(note, len(notes) + 1)}</sup>" if note else text

    for row in rows:
        name = with_note(row["name"], row.get("note"))
        cells = []
        for check in CHECKS:
            cell = row["cells"][check]
            note = known.get(f"{title(row)}: {check}", cell.get("note"))
            cells.append(with_note(SIGNS[cell["state"]], note))
        lines.append(f"| {name} | {row['version']} | {row['protocol']} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {note}" for note, number in notes.items()), "", "## The checks", ""]
    lines += [f"- **{check}**: {description}" for check, description in CHECKS.items()]
    return "\n".join(lines) + "\n"


main()
