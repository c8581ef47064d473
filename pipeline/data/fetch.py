"""Where a task's table comes from: the repository's snapshot, the user's folder, or the web."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pooch
import requests
from rich.console import Console

from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.errors import PipelineError
from pipeline.files import sha256_file
from pipeline.repo import Repo
from pipeline.schema import Source, Task

RETRIES = 2
TIMEOUT_SECONDS = 30


class Unavailable(PipelineError):
    """A source has nothing to give; the next one may."""


@dataclass(frozen=True)
class Fetched:
    """A validated table; `origin` names its source without anything of this machine.

    `snapshot` tells that the repository may and should keep a copy.
    """

    table: pd.DataFrame
    digest: str
    origin: str
    snapshot: bool


def snapshot_path(folder: Path, task: Task) -> Path:
    """Return where a folder of snapshots keeps a task's table."""
    return folder / f"{task.name}.csv.gz"


def fetch(task: Task, repo: Repo, console: Console) -> Fetched:
    """Return a task's table from the first place that has it.

    Raises:
        PipelineError: no source has it, or one has something else than the task expects.
    """
    path = snapshot_path(repo.data, task)
    where = path.relative_to(repo.root).as_posix()
    if path.is_file():
        return _checked(task, tables.read(path), where, snapshot=False)
    reasons = []
    for source in task.sources:
        try:
            raw = _read(source, console)
        except Unavailable as error:
            reasons.append(str(error))
        else:
            return _checked(task, raw, source.place, snapshot=not source.place.startswith("$"))
    raise PipelineError(
        f"{task.name}: no source has its data ({'; '.join(reasons)}); connect to the network, or "
        f"put a snapshot at {where}."
    )


def _read(source: Source, console: Console) -> pd.DataFrame:
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = Path(folder)
        if source.place.startswith("$"):
            path = _in_folder(source)
        elif "://" in source.place:
            path = _download(source, path, console)
        try:
            table: pd.DataFrame = source.read(path)
            return table
        except Exception as error:  # whatever a parser says of a file that is something else
            raise PipelineError(
                f"{source.place}: cannot be read as the data set ({error}); replace it."
            ) from error


def _in_folder(source: Source) -> Path:
    variable, file = source.place[1:].split("/", 1)
    folder = os.environ.get(variable)
    if not folder:
        raise Unavailable(f"{variable} names no folder")
    path = Path(folder).expanduser() / file
    if not path.is_file():
        raise Unavailable(f"{variable}={folder} has no file {file}")
    if source.sha256 and (found := sha256_file(path)) != source.sha256:
        raise PipelineError(
            f"{path}: its SHA-256 is {found}, not {source.sha256}: this is another or a damaged "
            f"file; replace it, or unset {variable} to download it."
        )
    return path


def _download(source: Source, folder: Path, console: Console) -> Path:
    """Download a file, trying again when that fails, and check its hash."""
    pooch.get_logger().setLevel("ERROR")
    name = source.place.rsplit("/", 1)[-1]
    urls, registry = {name: source.place}, {name: source.sha256}
    files = pooch.create(folder, "", registry=registry, urls=urls, retry_if_failed=RETRIES)
    http = pooch.HTTPDownloader(progressbar=console.is_terminal, timeout=TIMEOUT_SECONDS)
    try:
        return Path(files.fetch(name, downloader=http))
    except requests.RequestException as error:
        answer = error.response
        reason = "cannot be reached" if answer is None else f"answers {answer.status_code}"
    except ValueError:
        reason = "sends a file with another hash"
    raise Unavailable(f"{source.place}: {reason}")


def _checked(task: Task, raw: pd.DataFrame, where: str, snapshot: bool) -> Fetched:
    table = validate(task, raw, where)
    found = tables.digest(table)
    if found != task.digest:
        raise PipelineError(
            f"{where}: the table's SHA-256 is {found}, but pipeline/tasks/{task.name}.py expects "
            f"{task.digest}: restore the data, or write the new digest there if it was changed "
            "on purpose."
        )
    return Fetched(table, found, where, snapshot)
