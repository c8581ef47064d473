"""Where a task's table comes from: the repository's snapshot, the user's folder, or the web."""

import os
import tempfile
from dataclasses import dataclass, replace
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


def fetch(task: Task, repo: Repo, console: Console, fresh: bool = False) -> Fetched:
    """Return a task's table from the first place that has it.

    A snapshot in the repository comes first: Git keeps it and shows its changes. Without one, a
    source must give the table of the task's digest. `fresh` passes over snapshot, digest and
    hashes: what the source has now is right, if its rows are valid.

    Raises:
        PipelineError: no source has it, or one has something else than the task expects.
    """
    path = snapshot_path(repo.data, task)
    where = f"data/{path.name}"
    if path.is_file() and not fresh:
        return _validated(task, tables.read(path), where, snapshot=False)
    reasons = []
    for source in task.sources:
        try:
            raw = _read(replace(source, sha256=None) if fresh else source, console)
        except Unavailable as error:
            reasons.append(str(error))
        else:
            public = not source.place.startswith("$")
            fetched = _validated(task, raw, source.place, snapshot=public)
            if fresh or fetched.digest == task.digest:
                return fetched
            raise PipelineError(
                f"{source.place}: the table's SHA-256 is {fetched.digest}, but pipeline/tasks/"
                f"{task.name}.yaml expects {task.digest}: restore the data, or take them as they "
                "are now with `pipeline train --fresh-data`."
            )
    raise PipelineError(
        f"{task.name}: no source has its data ({'; '.join(reasons)}); connect to the network"
        f"{'' if fresh else f', or put a snapshot at {where}'}."
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


def _validated(task: Task, raw: pd.DataFrame, where: str, snapshot: bool) -> Fetched:
    table = validate(task, raw, where)
    return Fetched(table, tables.digest(table), where, snapshot)
