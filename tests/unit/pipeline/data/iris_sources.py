"""Iris with generated rows, from sources of every kind."""

import dataclasses
import hashlib

import pandas as pd

from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from tests.support import strategies
from tests.support.web_servers import Server, read_csv

TASK = strategies.task_of("iris", 30)
TABLE = strategies.table(TASK, 30)
CSV = tables.to_csv(TABLE)
DIGEST = hashlib.sha256(CSV).hexdigest()
VARIABLE = "MLOPS_TEST_FOLDER"
LOCAL = Source(f"${VARIABLE}/iris.csv", read_csv, DIGEST)
DEAD = Source("http://127.0.0.1:9/dead.csv", read_csv, DIGEST)


def task_with(*sources: Source) -> Task:
    """Return iris with other sources."""
    return dataclasses.replace(TASK, sources=sources)


def serve(server: Server, content: bytes, file: str = "iris.csv") -> None:
    """Let the server answer with a file."""
    server.answers[f"/{file}"] = [(200, content)]


def keep(repo: Repo, table: pd.DataFrame) -> None:
    """Write a table as the snapshot of iris."""
    path = repo.data / "iris.csv.gz"
    tables.write(path, table)


def source(server: Server, file: str = "iris.csv") -> Source:
    """Return a source on the web that expects the file with TABLE."""
    return Source(f"{server.url}/{file}", read_csv, DIGEST)


def unchecked(server: Server) -> Source:
    """Return a source on the web that expects no particular file."""
    return Source(f"{server.url}/iris.csv", read_csv)


def with_bad_row() -> pd.DataFrame:
    """Return TABLE with a value in row 5 that breaks a rule."""
    is_fifth = TABLE.index == 4
    values = TABLE.petal_width.mask(is_fifth, 99)
    return TABLE.assign(petal_width=values)
