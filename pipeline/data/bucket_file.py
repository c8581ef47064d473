"""Reads a file from a bucket of an S3 store."""

from pathlib import Path

from core.errors import PipelineError
from core.files import sha256_file
from history import bucket_address
from history.bucket import Bucket
from pipeline.data.download import Failed


def read(address: str, target: Path, sha256: str | None) -> None:
    """Copy a file from a bucket.

    Args:
        address: `s3://BUCKET/KEY`.
        target: where the copy is written.
        sha256: its digest; None means that any file is right.

    Raises:
        Failed: the store does not send it, or its hash is another one.
    """
    folder, _, name = address.rpartition("/")
    parsed = bucket_address.parse(folder)
    try:
        bucket = Bucket(parsed)
        bucket.read(name, target)
    except PipelineError as error:
        message = str(error)
        raise Failed(message.rstrip(".")) from error
    if sha256 and sha256_file(target) != sha256:
        raise Failed(f"{address}: the file has another hash")
