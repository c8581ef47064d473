"""The address of a folder in a bucket: `s3://BUCKET/PREFIX`."""

import re
from dataclasses import dataclass

from core.errors import UsageError

EXAMPLE = "s3://BUCKET/PREFIX"
ADDRESS = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^?#]*))?"
)


@dataclass(frozen=True)
class BucketAddress:
    """A bucket, and what the keys of all files begin with."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def key(self, path: str) -> str:
        """Return the key of a file by its path below the folder."""
        if self.prefix:
            return f"{self.prefix}/{path}"
        return path


def parse(text: str) -> BucketAddress:
    """Return the parts of an address.

    Raises:
        UsageError: it is not one.
    """
    match = ADDRESS.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is no address of a bucket: name {EXAMPLE}.")
    prefix = match["prefix"] or ""
    return BucketAddress(match["bucket"], prefix.strip("/"))
