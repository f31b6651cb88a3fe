"""conformance.py SERVER_BINARY: writes docs/conformance.md. Installs every implementation into target/conformance/, starts
the server, and has each driver try everything. Fails if a cell is red that known.json has no upstream issue for, or if one
that it has turned out well.
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
    "unary": "a photograph is named, with three predictions",
    "server stream": "ClassifyBatch: an answer for each picture, an error in place of one",
    "bidi": "ClassifyStream: each picture is sent when the one before has been answered",
    "error details": "an empty picture is refused; `ErrorInfo.reason` can be read",
    "UTF-8": "an error's text and a detail with Cyrillic letters, a cat and a percent sign",
    "deadline": "3 ms for 10 MiB end the call in time, by the library's clock or the server's",
    "cancellation": "a call is given up; the next on the same connection works",
    "large message": "a picture of 10 MiB is taken, one byte more is refused with its reason",
    "metadata": "`x-request-id` equals the message's own",
    "compression": "a compressed message is refused with its reason: pictures are compressed already",
    "health": "`grpc.health.v1` says SERVING",
    "reflection": "the services are listed",
}
SIGNS = {"yes": "✓", "no": "✗", "none": "–"}


def main() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    drivers = [python, javascript, go, triton]
    with server(sys.argv[1]) as address:
        rows = [row for driver in drivers for row in driver(address)]
    (ROOT / "docs/conformance.md").write_text(page(rows, known := json.loads((HERE / "known.json").read_text())))
    red = {f"{shown(row)}: {check}": cell for row in rows for check, cell in row["cells"].items() if cell["state"] == "no"}
    for cell in red.keys() - known.keys():
        print(f"red, without an upstream issue: {cell}: {red[cell]['note']}", file=sys.stderr)
    for cell in known.keys() - red.keys():
        print(f"works by now, strike it from known.json: {cell}", file=sys.stderr)
    sys.exit(red.keys() != known.keys())


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
    """Debian's packages, as ../examples/go/test.sh installs them."""
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
    """Python with the packages that `requirements` lists."""
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
        print(shown(row), "".join(SIGNS[row["cells"][check]["state"]] for check in CHECKS), file=sys.stderr)
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
            assert process.poll() is None, f"{binary} has ended by itself"
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def is_serving(address: str) -> bool:
    """Whether it takes calls, which is a little after it takes connections: grpc.health.v1 as gRPC-Web."""
    url = f"http://{address}/grpc.health.v1.Health/Check"
    check = Request(url, data=bytes(5), headers={"content-type": "application/grpc-web+proto"})
    try:
        with urlopen(check, timeout=10) as answer:
            return bytes([0, 0, 0, 0, 2, 8, 1]) in answer.read()  # a frame with status SERVING
    except OSError:
        return False


def shown(row: dict) -> str:
    return f"{row['name']}, {row['protocol']}"


def page(rows: list[dict], known: dict[str, str]) -> str:
    lines = [
        "# Conformance",
        "",
        "What independent implementations can do against this server. Written by `cargo xtask conformance`; do not edit.",
        "✓ works; – does not apply, for the reason below; ✗ does not work, for the fault in the issue below.",
        "",
        f"| implementation | version | protocol | {' | '.join(CHECKS)} |",
        f"|---|---|---|{'---|' * len(CHECKS)}",
    ]
    notes: dict[str, int] = {}

    def noted(text: str, note: str | None) -> str:
        return f"{text}<sup>{notes.setdefault(note, len(notes) + 1)}</sup>" if note else text

    for row in rows:
        name = noted(row["name"], row.get("note"))
        cells = []
        for check in CHECKS:
            cell = row["cells"][check]
            note = known.get(f"{shown(row)}: {check}", cell.get("note"))
            cells.append(noted(SIGNS[cell["state"]], note))
        lines.append(f"| {name} | {row['version']} | {row['protocol']} | {' | '.join(cells)} |")
    lines += ["", *(f"{number}. {note}" for note, number in notes.items()), "", "## What each column asks", ""]
    lines += [f"- **{check}**: {what}" for check, what in CHECKS.items()]
    return "\n".join(lines) + "\n"


main()
