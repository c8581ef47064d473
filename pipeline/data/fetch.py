"""Where a task's table comes from: the repository's snapshot, the user's folder, or the web."""

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pooch
import requests
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.errors import PipelineError
from pipeline.files import sha256_file
from pipeline.repo import Repo
from pipeline.schema import Bundled, Download, Folder, Task

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
    if path.is_file():
        where = path.relative_to(repo.root).as_posix()
        return _checked(task, tables.read(path), where, where, snapshot=False)
    reasons = []
    for source in task.sources:
        try:
            raw, where, origin = _from(source, console)
            return _checked(task, raw, where, origin, not isinstance(source, Folder))
        except Unavailable as error:
            reasons.append(str(error))
    raise PipelineError(
        f"{task.name}: no source has its data ({'; '.join(reasons)}); connect to the network, or "
        f"put a snapshot at {path.relative_to(repo.root)}."
    )


def _from(source: Folder | Download | Bundled, console: Console) -> tuple[pd.DataFrame, str, str]:
    """Return the raw table, its place for an error, and its place for the records."""
    if isinstance(source, Bundled):
        return source.read(), source.package, source.package
    if isinstance(source, Folder):
        path = _in_folder(source)
        return _parsed(source, path, str(path)), str(path), f"${source.variable}/{source.file}"
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = download(source, Path(folder), console)
        return _parsed(source, path, source.url), source.url, source.url


def _in_folder(source: Folder) -> Path:
    folder = os.environ.get(source.variable, "")
    if not folder:
        raise Unavailable(f"{source.variable} names no folder")
    path = Path(folder).expanduser() / source.file
    if not path.is_file():
        raise Unavailable(f"{source.variable}={folder} has no file {source.file}")
    if source.sha256 and (found := sha256_file(path)) != source.sha256:
        raise PipelineError(
            f"{path}: its SHA-256 is {found}, not {source.sha256}: this is another or a damaged "
            f"file; replace it, or unset {source.variable} to download it."
        )
    return path


def _parsed(source: Folder | Download, path: Path, where: str) -> pd.DataFrame:
    try:
        return source.read(path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PipelineError(f"{where}: cannot be read as the data set ({error}).") from error


def download(source: Download, folder: Path, console: Console) -> Path:
    """Download a file, trying again when that fails, and check its hash.

    Raises:
        Unavailable: the server cannot be reached, refuses, or sends something else.
    """
    pooch.get_logger().setLevel("ERROR")
    name = source.url.rsplit("/", 1)[-1]
    files = pooch.create(
        path=folder,
        base_url="",
        registry={name: source.sha256},
        urls={name: source.url},
        retry_if_failed=RETRIES,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        shown = progress.add_task(f"Downloading {source.url}")
        # What pooch asks of a progress bar.
        bar: SimpleNamespace = SimpleNamespace(
            total=None,
            update=lambda count: progress.update(shown, total=bar.total, advance=count),
            reset=lambda: progress.reset(shown),
            close=lambda: None,
        )
        downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)
        try:
            return Path(files.fetch(name, downloader=downloader))
        except requests.RequestException as error:
            raise Unavailable(f"{source.url}: {_reason(error)}") from error
        except ValueError as error:
            raise Unavailable(f"{source.url}: sends a file with another hash") from error


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"answers {error.response.status_code}"
    return "cannot be reached" if isinstance(error, requests.ConnectionError) else str(error)


def _checked(task: Task, raw: pd.DataFrame, where: str, origin: str, snapshot: bool) -> Fetched:
    table = validate(task, raw, where)
    found = tables.digest(table)
    if found != task.digest:
        raise PipelineError(
            f"{where}: the table's SHA-256 is {found}, but pipeline/tasks/{task.name}.py expects "
            f"{task.digest}: restore the data, or write the new digest there if it was changed "
            "on purpose."
        )
    return Fetched(table, found, origin, snapshot)
