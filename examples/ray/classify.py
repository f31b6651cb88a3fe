"""Classifies all images of a folder or bucket with Ray Data, and writes the results as Parquet.

usage: classify.py IMAGES RESULTS [SERVER]
"""

import sys
from typing import Any

import ray

from imageclassifier import Client


class Classify:
    """An actor: one connection to the server, for all batches that Ray gives it."""

    def __init__(self, server: str) -> None:
        self.client = Client(server, retries=8)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        results = self.client.classify_batch(batch["bytes"].tolist())
        answers = [result.answer for result in results]
        return {
            "file": batch["path"].tolist(),
            "label": [answer and answer.label for answer in answers],
            "confidence": [answer and answer.confidence for answer in answers],
            "error": [result.error and str(result.error) for result in results],
        }


def main(images: str, results: str, server: str = "localhost:50051") -> None:
    files = ray.data.read_binary_files(images, include_paths=True)
    # Two actors keep a server of a few cores busy. Use more for more servers behind one address.
    actors = ray.data.ActorPoolStrategy(size=2)
    rows = files.map_batches(Classify, fn_constructor_args=[server], batch_size=64, compute=actors, num_cpus=0.1)
    rows.write_parquet(results)


if __name__ == "__main__":
    main(*sys.argv[1:])
