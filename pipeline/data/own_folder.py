"""A file in a folder of the user's, which a variable names."""

import os
from pathlib import Path

from core.errors import PipelineError
from core.files import sha256_file
from pipeline.data.download import Failed


def locate(place: str, sha256: str | None) -> Path:
    """Return the path of a file.

    Args:
        place: `$VARIABLE/FILE`.
        sha256: its digest; None means that any file is right.

    Raises:
        Failed: the variable is not set, or its folder has no such file.
        PipelineError: it is another file.
    """
    variable, file = place[1:].split("/", 1)
    folder = os.environ.get(variable)
    if not folder:
        raise Failed(f"{variable} is not set")
    path = Path(folder).expanduser() / file
    if not path.is_file():
        raise Failed(f"{variable}={folder} has no file {file}")
    if sha256:
        actual = sha256_file(path)
        if actual != sha256:
            raise PipelineError(
                f"{path}: its SHA-256 is {actual}, not {sha256}: this is another"
                f" file or a damaged one; replace it, or unset {variable} to download"
                " it."
            )
    return path
