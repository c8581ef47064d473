"""Data sets of runs, as the pages show them."""

import json
from typing import Any

from history import Dataset

_ADDRESSES = ("url", "uri", "path")  # in MLflow's description of a source


class Datasets:
    """The data sets of a day, each of them once: most of its runs have the same."""

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self._places: dict[tuple[str | None, ...], int] = {}

    def place(self, dataset: Dataset) -> int:
        """Return the place of a data set in the list, to which it is added."""
        key = (
            dataset.name,
            dataset.digest,
            dataset.source,
            dataset.data_schema,
            dataset.profile,
        )
        if key not in self._places:
            self._places[key] = len(self.listed)
            self.listed.append(describe(dataset))
        return self._places[key]


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return what a page shows of a data set."""
    profile = _mapping(dataset.profile)
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "source": _source(dataset),
        "rows": profile.get("num_rows"),
        "columns": _columns(dataset),
    }


def _source(dataset: Dataset) -> str:
    content = _mapping(dataset.source)
    for name in _ADDRESSES:
        if name in content:
            return str(content[name])
    return dataset.source


def _columns(dataset: Dataset) -> list[str]:
    """Return the names of the columns; none if MLflow did not describe a table."""
    columns = _mapping(dataset.data_schema).get("mlflow_colspec")
    if not isinstance(columns, list):
        return []
    names = []
    for column in columns:
        if isinstance(column, dict) and "name" in column:
            names.append(str(column["name"]))
    return names


def _mapping(text: str | None) -> dict[str, Any]:
    """Return the JSON object in a text; an empty one if it is something else."""
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
