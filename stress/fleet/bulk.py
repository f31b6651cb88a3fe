"""10,000 images in object storage, classified in four shards, one of which is killed and run again."""

import collections
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import images
from fleet.object_storage import BUCKET, ObjectStorage
from report import OUTPUT, ROOT, Figure, report_progress

IMAGES, SHARDS = 10_000, 4
UNREADABLE_EVERY = 1000
ROWS_PER_OBJECT = 500
KILLED, KILLED_AFTER_PARTS = 1, 2
PENDING_MAX = 64
"""Images that the command line has read and not yet written into a part, beside those of the part that it fills."""
TIMEOUT_S = 900


def figures() -> list[Figure]:
    with ObjectStorage("bulk") as storage:
        started_at = time.monotonic()
        storage.put(_images())
        report_progress(f"bulk: {IMAGES} images stored in {time.monotonic() - started_at:.0f} s")
        started_at = time.monotonic()
        shards = [_start(storage, shard) for shard in range(SHARDS)]
        _wait_for_parts(storage, KILLED_AFTER_PARTS)
        shards[KILLED].kill()
        statuses = [shard.wait(TIMEOUT_S) for number, shard in enumerate(shards) if number != KILLED]
        seconds = time.monotonic() - started_at
        before, reads_before = storage.versions("results/"), storage.reads("images/")
        report_progress(f"bulk: {len(before)} parts after {seconds:.0f} s, statuses {statuses}; reads {reads_before}")

        rerun = _start(storage, KILLED)
        statuses.append(rerun.wait(TIMEOUT_S))
        again = storage.reads("images/") - IMAGES
        after_rerun = storage.versions("results/")
        others = [_start(storage, shard) for shard in range(SHARDS)]
        statuses_again = [shard.wait(TIMEOUT_S) for shard in others]
        after = storage.versions("results/")
        repeated = storage.reads("images/") - IMAGES - again
        rows = [json.loads(line) for key, _ in after for line in storage.read(key).splitlines()]
    return [*_figures(rows, statuses), *_repetitions(before, after_rerun, after, again, repeated, statuses_again)]


def _figures(rows: list[dict[str, Any]], statuses: list[int]) -> list[Figure]:
    counts = collections.Counter(row["file"] for row in rows)
    expected = {f"s3://{BUCKET}/{_key(number)}" for number in range(IMAGES)}
    once = sum(counts[name] == 1 for name in expected)
    failed = sum("error" in row for row in rows)
    what = f"{IMAGES:,} images, {SHARDS} shards, one killed and run again: images with one row"
    unreadable = IMAGES // UNREADABLE_EVERY
    return [
        Figure("fleet bulk", what, f"{IMAGES:,}", f"{once:,} in {len(rows):,} rows", once == len(rows) == IMAGES),
        Figure(
            "fleet bulk",
            "rows with an error; exit statuses",
            f"{unreadable}, the damaged files; 1 where there is one, else 0",
            f"{failed}; {', '.join(map(str, statuses))}",
            failed == unreadable and set(statuses) <= {0, 1},
        ),
    ]


def _repetitions(
    before: list[tuple[str, str]],
    after_rerun: list[tuple[str, str]],
    after: list[tuple[str, str]],
    again: int,
    repeated: int,
    statuses: list[int],
) -> list[Figure]:
    rewritten = len(set(before) - set(after)) + len(after) - len({key for key, _ in after})
    again_max = ROWS_PER_OBJECT + PENDING_MAX
    return [
        Figure("fleet bulk", "parts that were written twice", "0", f"{rewritten} of {len(after)}", rewritten == 0),
        Figure(
            "fleet bulk",
            "images that the killed shard read again",
            f"<= {again_max}, those of its unfinished part",
            str(again),
            0 <= again <= again_max,
        ),
        Figure(
            "fleet bulk",
            "all shards run once more: images read, parts written, exit statuses",
            "0, 0; 0",
            f"{repeated}, {len(after) - len(after_rerun)}; {', '.join(map(str, statuses))}",
            repeated == 0 and after == after_rerun and set(statuses) == {0},
        ),
    ]


def _images() -> list[tuple[str, bytes]]:
    small = images.small(side=64, quality=80)
    return [
        (_key(number), small[:100] if number % UNREADABLE_EVERY == UNREADABLE_EVERY // 2 else small)
        for number in range(IMAGES)
    ]


def _key(number: int) -> str:
    return f"images/{number // 1000}/{number:05}.jpg"


def _start(storage: ObjectStorage, shard: int) -> subprocess.Popen[bytes]:
    program = os.environ.get("IMAGECLASSIFIER_CLI_BINARY", ROOT / "target/release/imageclassifier")
    results, album = f"s3://{BUCKET}/results/", f"s3://{BUCKET}/images/"
    options = ["--local", "--top-k", "1", "--rows-per-object", str(ROWS_PER_OBJECT), "--shards", str(SHARDS)]
    environment = storage.environment() | {"JOB_COMPLETION_INDEX": str(shard)}
    with open(OUTPUT / f"bulk-shard-{shard}.log", "ab") as log:
        command = [Path(program), "classify", *options, "--output", results, album]
        return subprocess.Popen([*map(str, command)], env=environment, stdout=log, stderr=log)


def _wait_for_parts(storage: ObjectStorage, count: int) -> None:
    prefix = f"results/part-{KILLED:05}-"
    until = time.monotonic() + TIMEOUT_S
    while len(storage.versions(prefix)) < count:
        if time.monotonic() > until:
            raise SystemExit(f"shard {KILLED} has not written {count} parts")
        time.sleep(0.1)
