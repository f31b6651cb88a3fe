"""Compares the command line, which sends a folder of photographs over one bidirectional stream, with h2load's unary requests
to the same server: photographs per second, and the peak memory of both ends.

usage: stream.py [--json] [IMAGE...]
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
from load import Workload, generate_code, load
from report import ROOT, machine, median, print_result, report_progress, table, versions
from servers import Server

ROUNDS = 3
IN_FLIGHT = 16
"""The same as the command line's."""
ADDRESS = "127.0.0.1:50181"
IMAGES = {"0.24 MP JPEG": (photographs.coffee, 1000), "12 MP JPEG": (photographs.coffee_of_12_mp, 100)}
LABEL = "espresso"
PROGRAMS = ROOT / "target/release"


def stream(folder: Path, images: int) -> dict[str, float]:
    """Images per second, from the program's start to its end, and its peak memory."""
    command = [PROGRAMS / "imageclassifier", "classify", "--server", f"http://{ADDRESS}", "--csv", folder]
    started_at = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    rows = list(csv.DictReader(io.StringIO(process.stdout.read())))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started_at
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or len(rows) != images or {row["label"] for row in rows} != {LABEL}:
        raise SystemExit(f"the command line exited with {process.returncode} after {len(rows)} of {images} images")
    return {"images_per_s": images / seconds, "memory_mb": usage.ru_maxrss / 1024}


def measure(image: str) -> dict[str, object]:
    make, images = IMAGES[image]
    encoded = make()
    server = Server("ours", ADDRESS, [PROGRAMS / "imageclassifier-server", "--listen", ADDRESS, "--log", "warn"])
    try:
        server.wait()
        workload = Workload(encoded, LABEL)
        workload.check(ADDRESS, IN_FLIGHT)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(images):
                (Path(folder) / f"{number:04}.jpg").write_bytes(encoded)
            rounds = []
            for _ in range(ROUNDS):
                unary = load(server, workload, images, IN_FLIGHT)["calls_per_s"]
                rounds.append(stream(Path(folder), images) | {"unary_per_s": unary})
                rounds[-1]["ratio"] = rounds[-1]["images_per_s"] / unary
                report_progress(f"{image}: {rounds[-1]}")
        medians = {key: median([one[key] for one in rounds]) for key in rounds[0]}
        return medians | {
            "images": images,
            "all_images_mb": images * len(encoded) / 2**20,
            "server_memory_mb": server.memory_mb()["most"],
            "rounds": rounds,
        }
    finally:
        server.stop()


def tables(images: dict[str, dict]) -> str:
    keys = {
        "images": "images",
        "all_images_mb": "total size, MB",
        "images_per_s": "stream, /s",
        "unary_per_s": "h2load, /s",
        "ratio": "stream / h2load",
        "memory_mb": "command line's peak memory, MB",
        "server_memory_mb": "server's peak memory, MB",
    }
    rows = [[name, *(measured[key] for key in keys)] for name, measured in images.items()]
    return table(["image", *keys.values()], rows)


def main() -> None:
    wanted = [argument for argument in sys.argv[1:] if argument != "--json"] or list(IMAGES)
    with tempfile.TemporaryDirectory() as code:
        generate_code(Path(code))
        images = {image: measure(image) for image in wanted}
    result = {"machine": machine(), "versions": versions("grpcio", "pillow"), "rounds": ROUNDS, "images": images}
    print_result(result, tables(images))


if __name__ == "__main__":
    main()
