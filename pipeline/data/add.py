"""`pipeline data add`: make a table of your own the snapshot that a task trains on."""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import PipelineError, UsageError
from core.files import sha256_bytes, write_atomic
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.arrange import arrange
from pipeline.data.fetch import snapshot_path
from pipeline.data.validate import validate
from pipeline.repo import Repo
from pipeline.tasks import readers

# GitHub rejects a push with a larger file.
MOST_BYTES = 100 * 1024 * 1024
READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": readers.csv,
    ".csv.gz": readers.csv,
    ".parquet": readers.parquet,
    ".pq": readers.parquet,
    ".arff": readers.arff,
}


@dataclass(frozen=True)
class Added:
    """What was written; `new` and `gone` count rows compared with the old snapshot."""

    path: Path
    rows: int
    digest: str
    before: int
    new: int
    gone: int


def add(repo: Repo, name: str, file: Path) -> Added:
    """Check a table against its task and write the snapshot; the file is not touched.

    Raises:
        UsageError: there is no such task or file, or its suffix is unknown.
        PipelineError: the file cannot be read completely, a row breaks a rule, or the
            snapshot would be larger than GitHub accepts.
    """
    task = tasks.load(name)
    try:
        raw = arrange(task, None, _reader(file)(file))
    except ValueError as error:
        raise PipelineError(f"{file}: {error}.") from error
    table = validate(task, raw, str(file))
    path = snapshot_path(repo.data, task)
    content = tables.to_csv(table)
    packed = tables.packed(content)
    if len(packed) > MOST_BYTES:
        raise PipelineError(
            f"{file}: the snapshot would have {len(packed) / 1e6:,.0f} MB, and GitHub"
            f" accepts no file over {MOST_BYTES / 1e6:,.0f} MB: remove rows or columns."
        )
    old = _rows(_replaced(path))
    new = _rows(content)
    write_atomic(path, packed)
    return Added(
        path=path,
        rows=len(table),
        digest=sha256_bytes(content),
        before=old.total(),
        new=(new - old).total(),
        gone=(old - new).total(),
    )


def _reader(file: Path) -> Callable[[Path], pd.DataFrame]:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file.")
    for suffix, read in READERS.items():
        if file.name.lower().endswith(suffix):
            return read
    raise UsageError(f"{file}: its name must end in {', '.join(READERS)}.")


def _replaced(path: Path) -> bytes:
    """Return the canonical CSV that is replaced; empty if there is none to compare."""
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return b""


def _rows(content: bytes) -> Counter[bytes]:
    """Count the rows of a canonical CSV by their text."""
    return Counter(content.splitlines()[1:])
