"""A task's table by its digest, from wherever this clone has it."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.errors import PipelineError
from core.files import sha256_bytes
from core.git import GitError, git
from core.git_objects import read_blobs
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch, snapshot_path
from pipeline.data.unpack import unpacked
from pipeline.data.validate import validate
from pipeline.dvc import past_tables
from pipeline.repo import Repo
from pipeline.schema import Task

SHOWN_DIGITS = 12


def find(repo: Repo, task: str, digest: str, download: bool) -> bytes:
    """Return the canonical CSV of a task's table that has a digest.

    It is the snapshot in the checkout, one of any commit that Git or DVC has kept, or
    what the task's sources have.

    Args:
        repo: the checkout.
        task: the name of the task.
        digest: the SHA-256 of the canonical CSV.
        download: whether to ask sources on the web too.

    Raises:
        PipelineError: none of them has it.
    """
    for content in _snapshots(repo, task):
        if sha256_bytes(content) == digest:
            return content
    reason = "it is not a task of this checkout, so it has no sources here"
    if task in tasks.names():
        try:
            return _of_sources(tasks.load(task), digest, download)
        except PipelineError as error:
            reason = str(error).rstrip(".")
    raise PipelineError(
        f"the data of {task} with the SHA-256 {digest[:SHOWN_DIGITS]}… are neither in"
        f" data/ nor in a commit of this clone nor at a source ({reason}): put that"
        f" table at data/{task}.csv.gz."
    )


def read(task: Task, content: bytes, where: str) -> pd.DataFrame:
    """Return a canonical CSV as the table that a training reads.

    Args:
        where: how an error calls the table.

    Raises:
        PipelineError: a row breaks a rule of the task.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        path = snapshot_path(Path(folder), task)
        path.write_bytes(tables.packed(content))
        return validate(task, tables.read(path), where)


def _snapshots(repo: Repo, task: str) -> Iterator[bytes]:
    """Yield the snapshot in the checkout, then those of all commits, then DVC's."""
    name = f"data/{task}.csv.gz"
    path = repo.data / f"{task}.csv.gz"
    if path.is_file():
        yield unpacked(path.read_bytes())
    log = ("log", "--all", "--raw", "--no-abbrev", "--no-renames", "--format=")
    try:
        output = git(repo.root, *log, "--", name)
    except GitError:  # not a Git repository, or one without a commit
        return
    blobs = []
    for line in output.splitlines():
        # `:MODE MODE BLOB BLOB LETTER<tab>PATH`; zeros stand for no file.
        blob = line.split(" ")[3]
        if blob.strip("0") and blob not in blobs:
            blobs.append(blob)
    for packed in read_blobs(repo.root, blobs):
        yield unpacked(packed)
    for packed in past_tables.read_all(repo.root, name):
        yield unpacked(packed)


def _of_sources(task: Task, digest: str, download: bool) -> bytes:
    """Return what a source of the task has, if it has this digest.

    Raises:
        PipelineError: none has it.
    """
    sources = []
    for source in task.sources:
        if download or not source.web:
            sources.append(source)
    wanted = replace(task, digest=digest, sources=tuple(sources))
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        # A checkout without a snapshot, which would come first.
        dataset = fetch(wanted, Repo(Path(folder)))
    if dataset.digest != digest:
        raise PipelineError(f"{dataset.origin} has the same rows in another order")
    return tables.to_csv(dataset.table)
