"""`pipeline data add`: make a table of your own the snapshot that a task trains on."""

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
from pipeline.data.unpack import unpacked
from pipeline.data.validate import validate
from pipeline.dvc.track import require_one_keeper, track
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.tasks import readers

# GitHub warns of a push with a larger file.
MANY_BYTES = 50 * 1024 * 1024
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


def add(repo: Repo, name: str, file: Path, by_dvc: bool = False) -> Added:
    """Check a table against its task and write the snapshot; the file is not touched.

    Args:
        repo: the checkout.
        name: the task.
        file: the table.
        by_dvc: whether DVC keeps the snapshot in place of Git.

    Raises:
        UsageError: there is no such task or file, its suffix is unknown, or Git and DVC
            would both keep the snapshot.
        PipelineError: the file cannot be read completely, a row breaks a rule, the
            snapshot would be larger than GitHub accepts, or DVC fails.
    """
    task = tasks.load(name)
    path = snapshot_path(repo.data, task)
    require_one_keeper(repo.root, path, by_dvc)
    table = _validated(task, file)
    content = tables.to_csv(table)
    packed = tables.packed(content)
    if not by_dvc:
        _require_accepted(file, packed)
    old = _rows(_replaced(path))
    new = _rows(content)
    write_atomic(path, packed)
    if by_dvc:
        track(repo.root, path)
    return Added(
        path=path,
        rows=len(table),
        digest=sha256_bytes(content),
        before=old.total(),
        new=(new - old).total(),
        gone=(old - new).total(),
    )


def _validated(task: Task, file: Path) -> pd.DataFrame:
    """Return the table in a file as the task's."""
    try:
        raw = arrange(task, None, _reader(file)(file))
    except ValueError as error:
        raise PipelineError(f"{file}: {error}.") from error
    return validate(task, raw, str(file))


def _require_accepted(file: Path, packed: bytes) -> None:
    """Check that GitHub accepts a snapshot."""
    if len(packed) > MOST_BYTES:
        raise PipelineError(
            f"{file}: the snapshot would have {len(packed) / 1e6:,.0f} MB, and GitHub"
            f" accepts no file over {MOST_BYTES / 1e6:,.0f} MB: have DVC keep it with"
            " --dvc, or remove rows or columns."
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
    if path.is_file():
        return unpacked(path.read_bytes())
    return b""


def _rows(content: bytes) -> Counter[bytes]:
    """Count the rows of a canonical CSV by their text."""
    return Counter(content.splitlines()[1:])
