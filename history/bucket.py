"""A bucket of an S3 store, through boto3, and its errors as one sentence each.

The store, the key and the region come from the variables that MLflow and Amazon's
programs read: `MLFLOW_S3_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
`AWS_DEFAULT_REGION` and so on.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import PipelineError
from history.bucket_address import BucketAddress

ENDPOINT = "MLFLOW_S3_ENDPOINT_URL"
THREADS = 16
TIMEOUT_SECONDS = 10
ATTEMPTS = 4
# What to do about a code with which a store refuses a request.
REMEDIES = {
    "NoSuchBucket": "create the bucket, or name another",
    "NoSuchKey": "the file was deleted, so write it again",
    "404": "create the bucket, or name another",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "let the key list and write the bucket",
    "403": "let the key list and write the bucket",
    "QuotaExceeded": "raise the bucket's quota, or delete files",
}
# A full disk has no code of its own.
OTHER = "see the store's log, and whether its disk is full"


class Bucket:
    """A folder of a bucket; methods raise a `PipelineError` of one sentence."""

    def __init__(self, address: BucketAddress) -> None:
        self.address = address
        self._endpoint = os.environ.get(ENDPOINT) or None
        _require_boto3()
        with self._one_sentence():
            self._client = self._connect()

    def _connect(self) -> Any:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=TIMEOUT_SECONDS,
            max_pool_connections=THREADS,
            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        )
        session = boto3.Session()
        return session.client("s3", endpoint_url=self._endpoint, config=config)

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return the size in bytes of each file below a folder, by its path.

        Args:
            folder: ends with a slash, unless it is nothing, which means all files.
        """
        root = self.address.key("")
        start = f"{root}{folder}"
        sizes = {}
        with self._one_sentence():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.address.bucket, Prefix=start):
                for entry in page.get("Contents", []):
                    path = entry["Key"].removeprefix(root)
                    sizes[path] = int(entry["Size"])
        return sizes

    def write(self, path: str, file: Path) -> None:
        """Copy a file to a path: whole, or not at all."""
        key = self.address.key(path)
        with self._one_sentence(), file.open("rb") as content:
            self._client.put_object(Bucket=self.address.bucket, Key=key, Body=content)

    def read(self, path: str, file: Path) -> None:
        """Copy what is at a path to a file."""
        key = self.address.key(path)
        with self._one_sentence(), file.open("wb") as content:
            answer = self._client.get_object(Bucket=self.address.bucket, Key=key)
            for part in answer["Body"].iter_chunks():
                content.write(part)

    def upload(self, path: str, file: Path) -> None:
        """Copy a file of any size to a path, in parts if it is large."""
        key = self.address.key(path)
        with self._one_sentence():
            self._client.upload_file(str(file), self.address.bucket, key)

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            answer = error.response.get("Error", {})
            code = str(answer.get("Code", ""))
            reason = f"the store refuses with {code}"
            raise self._error(reason, REMEDIES.get(code, OTHER)) from error
        except (BotoCoreError, Boto3Error, ValueError) as error:
            reason = " ".join(str(error).split()).rstrip(".")
            remedy = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and"
            raise self._error(reason, f"{remedy} {ENDPOINT}") from error

    def _error(self, reason: str, remedy: str) -> PipelineError:
        place = str(self.address)
        if self._endpoint:
            place += f" at {self._endpoint}"
        return PipelineError(f"{place}: {reason}: {remedy}.")


def _require_boto3() -> None:
    try:
        import boto3  # noqa: F401
    except ImportError as error:
        raise PipelineError(
            "to copy artifacts into a bucket needs the Python package boto3, which is"
            " not installed: pip install boto3."
        ) from error
