"""Where a task's table comes from.

The repository's snapshot comes first, then the task's sources: a folder or a bucket of
the user's, a package, or the web.
"""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pandas as pd

from core.errors import PipelineError, Unavailable, UsageError
from pipeline.data import bucket_file, own_folder
from pipeline.data import table as tables
from pipeline.data.archives import extract
from pipeline.data.arrange import arrange
from pipeline.data.download import Failed, download
from pipeline.data.validate import check_columns, validate
from pipeline.dvc.pointer import pointer_path
from pipeline.dvc.provide import provide
from pipeline.repo import Repo
from pipeline.schema import Source, Task


class _Skipped(Exception):
    """A source does not have the data; the next one may."""

    def __init__(self, source: Source, reason: str) -> None:
        super().__init__(reason)
        self.source = source
        self.reason = reason

    def __str__(self) -> str:
        if self.source.private:
            return self.reason
        return f"{self.source.address}: {self.reason}"


@dataclass(frozen=True)
class Dataset:
    """A validated table; `origin` names its source without anything of this machine.

    `snapshot` is true if the repository may and should keep a copy.
    """

    table: pd.DataFrame
    digest: str
    origin: str
    snapshot: bool


def snapshot_path(folder: Path, task: Task) -> Path:
    """Return where a folder of snapshots keeps a task's table."""
    return folder / f"{task.name}.csv.gz"


def fetch(task: Task, repo: Repo, refresh: bool = False) -> Dataset:
    """Return a task's table from the first place that has it.

    A snapshot in the repository comes first: Git keeps it and shows its changes, or DVC
    keeps it and Git the name of its content. Without one, a source must have the table
    with the task's digest. `refresh` ignores the snapshot, the digest and the hashes:
    the data that a source has now are right if their rows are valid.

    Raises:
        UsageError: a table that DVC keeps is to be refreshed.
        Unavailable: no source has it.
        PipelineError: the snapshot, a file of the user's, or the refreshed data break a
            rule.
    """
    if refresh:
        _require_sources(task, repo)
    held = _snapshot(task, repo, damage_is_fine=refresh)
    if held and not refresh:
        return held
    skipped: list[_Skipped] = []
    for source in task.sources:
        try:
            if refresh:
                return _refreshed(source, task, held)
            dataset = _read(source, task)
            return _require_expected(dataset, task, source)
        except _Skipped as reason:
            skipped.append(reason)
        except PipelineError as error:
            if source.private or refresh:
                raise
            sentence = str(error).removeprefix(f"{source.address}: ")
            skipped.append(_Skipped(source, sentence))
    raise _unavailable(task, skipped, refresh)


def _require_sources(task: Task, repo: Repo) -> None:
    """Check that the table may come from a source although there is a snapshot."""
    path = snapshot_path(repo.data, task)
    if pointer_path(path).is_file():
        raise UsageError(
            f"{task.name}: DVC keeps its table, which is not refreshed: add a new one"
            f" with `pipeline data add FILE --task {task.name} --dvc`."
        )


def _unavailable(task: Task, skipped: list[_Skipped], refresh: bool) -> Unavailable:
    snapshot = f"data/{task.name}.csv.gz"
    reasons = "it names none"
    if skipped:
        reasons = "; ".join(str(each) for each in skipped)
    remedy = "connect to the network"
    if not refresh:
        remedy += f", or put a snapshot at {snapshot}"
    message = f"{task.name}: no source has its data ({reasons}); {remedy}."
    hosts = _hosts(skipped) or f"a snapshot at {snapshot}"
    return Unavailable(message, hosts)


def _hosts(skipped: list[_Skipped]) -> str:
    """Return the hosts of skipped sources, each once for each reason."""
    hosts: list[str] = []
    for each in skipped:
        if not each.source.web:
            continue
        parts = urlsplit(each.source.address)
        host = f"{parts.hostname} ({each.reason})"
        if host not in hosts:
            hosts.append(host)
    return ", ".join(hosts)


def _snapshot(task: Task, repo: Repo, damage_is_fine: bool) -> Dataset | None:
    """Return the repository's snapshot, or None without one.

    A damaged one is also None if `damage_is_fine`, because it will be replaced.
    """
    path = snapshot_path(repo.data, task)
    provide(repo.root, task.name, path)
    if not path.is_file():
        return None
    try:
        table = tables.read(path)
        return _validated(task, table, f"data/{path.name}", snapshot=False)
    except PipelineError:
        if damage_is_fine:
            return None
        raise


def _require_expected(dataset: Dataset, task: Task, source: Source) -> Dataset:
    """Return the table if it has the rows that the task's YAML expects.

    Rows in another order than when the digest was written are sorted, so that every
    such source gives the same table.

    Raises:
        _Skipped, or PipelineError for a file of the user's: it has other rows.
    """
    if dataset.digest == task.digest:
        return dataset
    if task.rows_digest and tables.rows_digest(dataset.table) == task.rows_digest:
        table = tables.ordered(dataset.table)
        digest = tables.digest(table)
        return replace(dataset, table=table, digest=digest)
    file = f"pipeline/tasks/{task.name}.yaml"
    expected = task.digest or "none"
    _reject(
        source,
        f"the table's SHA-256 is {dataset.digest}, but {file} expects {expected};"
        " `pipeline train --refresh-data` uses the data as they are now",
    )


def _refreshed(source: Source, task: Task, held: Dataset | None) -> Dataset:
    """Return the rows of a source as they are now.

    If the snapshot has the same rows, they are in its order.
    """
    unchecked = replace(source, sha256=None)
    refreshed = _read(unchecked, task)
    if held is None:
        return refreshed
    held_rows = tables.rows_digest(held.table)
    refreshed_rows = tables.rows_digest(refreshed.table)
    if held_rows != refreshed_rows:
        return refreshed
    return replace(refreshed, table=held.table, digest=held.digest)


def _read(source: Source, task: Task) -> Dataset:
    """Return what a source has, as the task's table.

    Raises:
        _Skipped: it has nothing, or something other than its data set.
        PipelineError: a row breaks a rule, or a file of the user's is another one.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        folder = Path(name)
        path = _file(source, folder)
        try:
            if source.member:
                path = extract(path, source.member, folder)
            raw = source.read(path, **source.options)
            table = arrange(task, source.table, raw)
            check_columns(task, table)
        # A parser may raise anything for a file of another kind.
        except Exception as error:
            message = " ".join(str(error).split())
            reason = message.rstrip(".")
            _reject(source, f"cannot be read as the data set ({reason})")
    may_be_kept = not source.private
    return _validated(task, table, source.address, snapshot=may_be_kept)


def _reject(source: Source, reason: str) -> NoReturn:
    """Skip a public source; report a file of the user's, which they can replace."""
    if source.private:
        raise PipelineError(f"{source.address}: {reason}; replace the file.")
    raise _Skipped(source, reason)


def _file(source: Source, folder: Path) -> Path:
    target = folder / "download"
    try:
        if source.in_bucket:
            bucket_file.read(source.place, target, source.sha256)
        elif source.private:
            return own_folder.locate(source.place, source.sha256)
        elif source.web:
            download(source.place, target, source.sha256)
    except Failed as failure:
        raise _Skipped(source, str(failure)) from failure
    return target


def _validated(task: Task, raw: pd.DataFrame, where: str, snapshot: bool) -> Dataset:
    table = validate(task, raw, where)
    return Dataset(
        table=table,
        digest=tables.digest(table),
        origin=where,
        snapshot=snapshot,
    )
