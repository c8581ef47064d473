"""A bundle: the folder that `pipeline train` writes and `pipeline publish` reads.

bundle.json           the content, and the evidence for each task's challenger
mlruns/               the run folders, with the paths they will have in the repository
holdout/<task>.csv.gz the hold-out rows, for a comparison with any champion
data/<task>.csv.gz    a snapshot that the training fetched, for the repository to keep
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core.errors import UsageError
from core.files import TEMPORARY_PREFIX, write_atomic
from core.manifest import Parity
from history import runfile
from history.record import ModelId, Record, RunId, Sha256
from history.registry import Check

FILE = "bundle.json"


class Challenger(Record):
    """The best candidate in cross-validation, with the evidence for the gate.

    `latency_ms` is the time of one row on one thread.
    """

    algorithm: str
    latency_ms: float
    parity: Parity
    holdout: dict[str, float]
    cross_validation: dict[str, float]
    run_id: RunId
    model_id: ModelId
    sha256: Sha256
    size: int = Field(gt=0)
    behaviours: list[Check]


class TaskResult(Record):
    """The result of training one task; `challenger` is None if every candidate failed."""

    parent_run: RunId
    run_ids: list[RunId]
    data_digest: Sha256
    challenger: Challenger | None


class Bundle(Record):
    """The content of `bundle.json`; `created` is in milliseconds since the epoch, UTC.

    `waiting` has the tasks that were not trained because no source has their data now,
    each with the hosts that it is waiting for.
    """

    format: Literal[1]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    dirty: list[str]
    created: int
    tasks: dict[str, TaskResult]
    waiting: dict[str, str] = {}


def write(folder: Path, bundle: Bundle) -> None:
    """Write `bundle.json`, as the last file: without it a training did not finish."""
    write_atomic(folder / FILE, runfile.dump(bundle))


def may_be_replaced(folder: Path) -> bool:
    """Return whether a folder is missing or empty, a bundle, or holds bundles alone."""
    if not folder.exists() or (folder / FILE).is_file():
        return True
    for path in folder.iterdir():
        is_unfinished = path.name.startswith(TEMPORARY_PREFIX)
        if not is_unfinished and not (path / FILE).is_file():
            return False
    return True


def read(folder: Path) -> Bundle:
    """Read the bundle in a folder.

    Raises:
        UsageError: the folder has no bundle.
        PipelineError: it is damaged or of another format version.
    """
    path = folder / FILE
    if not path.is_file():
        raise UsageError(
            f"{folder} has no finished bundle: run `pipeline train` first."
        )
    return runfile.read(path, Bundle, "run `pipeline train` again")
