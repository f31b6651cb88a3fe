"""A bucket in a local S3 (moto), whose log has each request."""

import concurrent.futures
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from report import OUTPUT
from server import free_port

BUCKET = "album"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}
START_TIMEOUT_S = 60
UPLOADS = 8


class ObjectStorage:
    """Runs after construction. It keeps every version of each object, so that a rewritten one is noticed."""

    def __init__(self, name: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = OUTPUT / f"{name}-s3.log"
        OUTPUT.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=CREDENTIALS["AWS_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(max_pool_connections=UPLOADS),
        )
        until = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.client.create_bucket(Bucket=BUCKET)
                break
            except Exception as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"moto did not start: {error}\n{self.log.read_text()[-2000:]}") from error
                time.sleep(0.1)
        self.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def environment(self) -> dict[str, str]:
        """For a program that reads from it."""
        return os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL": self.url, "AWS_ALLOW_HTTP": "true"}

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        def put(entry: tuple[str, bytes]) -> None:
            self.client.put_object(Bucket=BUCKET, Key=entry[0], Body=entry[1])

        with concurrent.futures.ThreadPoolExecutor(UPLOADS) as pool:
            list(pool.map(put, objects))

    def versions(self, prefix: str) -> list[tuple[str, str]]:
        """Key and version of all objects there ever were."""
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix=prefix)
        return sorted((one["Key"], one["VersionId"]) for page in pages for one in page.get("Versions", []))

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def reads(self, prefix: str) -> int:
        """Requests for the content of objects so far."""
        return self.log.read_bytes().count(f'"GET /{BUCKET}/{prefix}'.encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
