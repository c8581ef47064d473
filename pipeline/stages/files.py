"""Reads what an earlier stage wrote, and writes folders whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import UsageError
from core.files import TEMPORARY_PREFIX, emptied
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.schema import Task


def require(path: Path) -> Path:
    """Return the path of an output of an earlier stage.

    Raises:
        UsageError: that stage has not been run.
    """
    if not path.exists():
        raise UsageError(
            f"{path} is missing: `dvc repro` runs the stage that writes it."
        )
    return path


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file of an earlier stage; see `require`."""
    text = require(path).read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def read_table(task: Task, path: Path) -> pd.DataFrame:
    """Return a table of an earlier stage; see `require`."""
    table = tables.read(require(path))
    return validate(task, table, path.name)


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `folder` when the block succeeds."""
    temporary = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
    with emptied(temporary) as aside:
        unfinished = aside / "new"
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rename(aside / "old")
        unfinished.rename(folder)
