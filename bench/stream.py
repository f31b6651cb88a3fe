"""A folder of photographs through one bidirectional stream, by the command line, against h2load's unary calls to the same
server: photographs a second, and the most memory that each end ever had.

usage: stream.py [--json] [PICTURE...]
"""

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import photographs
from load import Call, generate_code, load
from report import ROOT, finish, machine, median, say, table, versions
from servers import Server

ROUNDS = 3
IN_FLIGHT = 16
"""As the command line has."""
ADDRESS = "127.0.0.1:50181"
PICTURES = {"0.24 MP JPEG": (photographs.coffee, 1000), "12 MP JPEG": (photographs.coffee_of_12_mp, 100)}
LABEL = "espresso"
PROGRAMS = ROOT / "target/release"


def stream(folder: Path, pictures: int) -> dict[str, float]:
    """Pictures a second, from the program's start to its end, and its memory."""
    command = [PROGRAMS / "imageclassifier", "classify", "--server", f"http://{ADDRESS}", "--csv", folder]
    begun_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    rows = list(csv.DictReader(io.StringIO(process.stdout.read())))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or len(rows) != pictures or {row["label"] for row in rows} != {LABEL}:
        raise SystemExit(f"the command line ended with {process.returncode} after {len(rows)} of {pictures} pictures")
    return {"pictures_per_s": pictures / seconds, "memory_mb": usage.ru_maxrss / 1024}


def measure(picture: str) -> dict[str, object]:
    make, pictures = PICTURES[picture]
    encoded = make()
    server = Server("ours", ADDRESS, [PROGRAMS / "imageclassifier-server", "--listen", ADDRESS, "--log", "warn"])
    try:
        server.wait()
        call = Call(encoded, LABEL)
        call.check(ADDRESS, IN_FLIGHT)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(pictures):
                (Path(folder) / f"{number:04}.jpg").write_bytes(encoded)
            rounds = []
            for _ in range(ROUNDS):
                unary = load(server, call, pictures, IN_FLIGHT)["calls_per_s"]
                rounds.append(stream(Path(folder), pictures) | {"unary_per_s": unary})
                rounds[-1]["ratio"] = rounds[-1]["pictures_per_s"] / unary
                say(f"{picture}: {rounds[-1]}")
        found = {key: median([one[key] for one in rounds]) for key in rounds[0]}
        return found | {
            "pictures": pictures,
            "all_pictures_mb": pictures * len(encoded) / 2**20,
            "server_memory_mb": server.memory_mb()["most"],
            "rounds": rounds,
        }
    finally:
        server.stop()


def tables(pictures: dict[str, dict]) -> str:
    keys = {
        "pictures": "photographs",
        "all_pictures_mb": "all of them, MB",
        "pictures_per_s": "stream, /s",
        "unary_per_s": "h2load, /s",
        "ratio": "stream / h2load",
        "memory_mb": "command line's most memory, MB",
        "server_memory_mb": "server's, MB",
    }
    return table(["picture", *keys.values()], [[name, *(found[key] for key in keys)] for name, found in pictures.items()])


def main() -> None:
    wanted = [argument for argument in sys.argv[1:] if argument != "--json"] or list(PICTURES)
    with tempfile.TemporaryDirectory() as code:
        generate_code(Path(code))
        pictures = {picture: measure(picture) for picture in wanted}
    result = {"machine": machine(), "versions": versions("grpcio", "pillow"), "rounds": ROUNDS, "pictures": pictures}
    finish(result, tables(pictures))


if __name__ == "__main__":
    main()
