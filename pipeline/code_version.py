"""Which code a process runs, with which libraries: what decides a model's bytes."""

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import core
import history
import pipeline
from core.errors import PipelineError
from core.files import sha256_bytes, sha256_file
from core.git import GitError, git

# The packages whose code has a digest: all that a training runs.
PACKAGES = (core, history, pipeline)
CODE = ("*.py", "*.yaml", "*.sql")
LIBRARIES = (
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "skl2onnx",
    "onnx",
    "onnxruntime",
    "mlflow",
    "lightgbm",
    "xgboost" if sys.platform == "darwin" else "xgboost-cpu",
    "onnxmltools",
)
COMMIT = "commit"
DIGEST = "code"
PYTHON = "Python"
SHOWN_DIGITS = 12


def digest_of_code() -> str:
    """Return the SHA-256 of the names and digests of all files of the code."""
    lines = []
    for package in PACKAGES:
        root = Path(str(package.__file__)).parent
        for pattern in CODE:
            for path in root.rglob(pattern):
                name = path.relative_to(root.parent).as_posix()
                lines.append(f"{sha256_file(path)}  {name}\n")
    lines.sort()
    return sha256_bytes("".join(lines).encode())


def commit() -> str:
    """Return the commit of the code; empty if neither an image nor Git knows it."""
    revision = os.environ.get("MLOPS_REVISION")
    if revision:
        return revision
    root = Path(str(pipeline.__file__)).parents[1]
    try:
        return git(root, "rev-parse", "HEAD")
    except GitError:
        return ""


def version_of(library: str) -> str:
    """Return the version of a library.

    Raises:
        PipelineError: it is not installed.
    """
    try:
        return version(library)
    except PackageNotFoundError as error:
        raise PipelineError(
            f"the Python package {library} is not installed: install the packages of"
            " requirements/pipeline.txt."
        ) from error


@cache
def describe() -> dict[str, str]:
    """Return commit, digest of the code and versions, as they were at the first call.

    Raises:
        PipelineError: a library is not installed.
    """
    description = {
        COMMIT: commit(),
        DIGEST: digest_of_code(),
        PYTHON: platform.python_version(),
    }
    for name in LIBRARIES:
        description[name] = version_of(name)
    return description


def difference(theirs: dict[str, str], ours: dict[str, str]) -> str:
    """Return what another process has that this one has not; empty if nothing differs.

    A commit that one of the two does not know is no difference: the code has a digest.

    Args:
        theirs: what `describe` returned there.
        ours: what it returned here.
    """
    for name, our_value in ours.items():
        their_value = theirs.get(name, "")
        if their_value == our_value:
            continue
        if name == COMMIT and not (their_value and our_value):
            continue
        their_short = their_value[:SHOWN_DIGITS] or "none"
        our_short = our_value[:SHOWN_DIGITS]
        return f"{name} {their_short}, here {our_short}"
    return ""
