"""Where a task's table comes from: the repository's snapshot, the user's folder, or the
web.
"""

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pandas as pd

from core.errors import PipelineError, Unavailable
from core.files import sha256_file
from pipeline.data import table as tables
from pipeline.data.archives import extract
from pipeline.data.arrange import arrange
from pipeline.data.download import Failed, download
from pipeline.data.validate import check_columns, validate
from pipeline.repo import Repo
from pipeline.schema import Source, Task


class _Passed(Exception):
    """A source has nothing to give; the next one may."""

    def __init__(self, source: Source, reason: str) -> None:
        super().__init__(reason)
        self.source, self.reason = source, reason

    def __str__(self) -> str:
        return (
            self.reason
            if self.source.private
            else f"{self.source.address}: {self.reason}"
        )


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


def fetch(task: Task, repo: Repo, fresh: bool = False) -> Fetched:
    """Return a task's table from the first place that has it.

    A snapshot in the repository comes first: Git keeps it and shows its changes.
    Without one, a source must give the table of the task's digest. `fresh` passes over
    snapshot, digest and hashes: what the source has now is right, if its rows are
    valid.

    Raises:
        Unavailable: no source has it.
        PipelineError: the snapshot, a file of the user's, or fresh data break a rule.
    """
    held = _held(task, repo, fresh)
    if held and not fresh:
        return held
    passed: list[_Passed] = []
    for source in task.sources:
        try:
            fetched = _read(replace(source, sha256=None) if fresh else source, task)
            return (
                _as_held(fetched, held) if fresh else _expected(fetched, task, source)
            )
        except _Passed as nothing:
            passed.append(nothing)
        except PipelineError as error:
            if source.private or fresh:
                raise
            passed.append(
                _Passed(source, str(error).removeprefix(f"{source.address}: "))
            )
    raise _unavailable(task, passed, fresh)


def _unavailable(task: Task, passed: list[_Passed], fresh: bool) -> Unavailable:
    where = f"data/{task.name}.csv.gz"
    reasons = "; ".join(map(str, passed)) or "none is named"
    hosts = [
        f"{urlsplit(p.source.address).hostname} ({p.reason})"
        for p in passed
        if p.source.web
    ]
    return Unavailable(
        f"{task.name}: no source has its data ({reasons}); "
        f"connect to the network{'' if fresh else f', or put a snapshot at {where}'}.",
        ", ".join(dict.fromkeys(hosts)) or f"a snapshot at {where}",
    )


def _held(task: Task, repo: Repo, replaced: bool) -> Fetched | None:
    """Return the snapshot, if there is one; a damaged one is no matter if it is
    `replaced`.
    """
    path = snapshot_path(repo.data, task)
    if not path.is_file():
        return None
    try:
        return _validated(task, tables.read(path), f"data/{path.name}", snapshot=False)
    except PipelineError:
        if replaced:
            return None
        raise


def _expected(fetched: Fetched, task: Task, source: Source) -> Fetched:
    """Return the table if its rows are those that the task's YAML expects.

    Rows in another order than when the digest was written are sorted, so that every
    such source gives the same table.

    Raises:
        _Passed, or PipelineError for a file of the user's: they are not.
    """
    if fetched.digest == task.digest:
        return fetched
    if task.rows_digest and tables.rows_digest(fetched.table) == task.rows_digest:
        table = tables.ordered(fetched.table)
        return replace(fetched, table=table, digest=tables.digest(table))
    _refuse(
        source,
        f"the table's SHA-256 is {fetched.digest}, but pipeline/tasks/{task.name}.yaml"
        f" expects {task.digest or 'none'}; `pipeline train --refresh-data` takes the"
        " data as they are now",
    )


def _as_held(fresh: Fetched, held: Fetched | None) -> Fetched:
    """Return fresh data, in the order of the snapshot if they are the same rows."""
    if held is None or tables.rows_digest(held.table) != tables.rows_digest(
        fresh.table
    ):
        return fresh
    return replace(fresh, table=held.table, digest=held.digest)


def _read(source: Source, task: Task) -> Fetched:
    """Return what a source has, as the task's table.

    Raises:
        _Passed: it has nothing, or something that is not its data set.
        PipelineError: a row breaks a rule, or a file of the user's is another one.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = _file(source, Path(folder))
        try:
            if source.member:
                path = extract(path, source.member, Path(folder))
            table = arrange(task, source.table, source.read(path, **source.options))
            check_columns(task, table)
        except (
            Exception
        ) as error:  # whatever a parser says of a file that is something else
            reason = " ".join(str(error).split()).rstrip(".")
            _refuse(source, f"cannot be read as the data set ({reason})")
    return _validated(task, table, source.address, snapshot=not source.private)


def _refuse(source: Source, reason: str) -> NoReturn:
    """Pass over a source on the web; tell the user of a file that is theirs."""
    if source.private:
        raise PipelineError(f"{source.address}: {reason}; replace the file.")
    raise _Passed(source, reason)


def _file(source: Source, folder: Path) -> Path:
    if source.private:
        return _in_folder(source)
    target = folder / "download"
    if source.web:
        try:
            download(source.place, target, source.sha256)
        except Failed as failure:
            raise _Passed(source, str(failure)) from failure
    return target


def _in_folder(source: Source) -> Path:
    variable, file = source.place[1:].split("/", 1)
    folder = os.environ.get(variable)
    if not folder:
        raise _Passed(source, f"{variable} names no folder")
    path = Path(folder).expanduser() / file
    if not path.is_file():
        raise _Passed(source, f"{variable}={folder} has no file {file}")
    if source.sha256 and (found := sha256_file(path)) != source.sha256:
        raise PipelineError(
            f"{path}: its SHA-256 is {found}, not {source.sha256}: this is another or a"
            f" damaged file; replace it, or unset {variable} to download it."
        )
    return path


def _validated(task: Task, raw: pd.DataFrame, where: str, snapshot: bool) -> Fetched:
    table = validate(task, raw, where)
    return Fetched(table, tables.digest(table), where, snapshot)
