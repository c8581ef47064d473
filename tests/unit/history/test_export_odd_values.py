"""Odd names and values survive an export to a file store and an import from it."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history import address, build, layout, runfile
from history.export import export
from history.names import clash, fault_of
from history.portable_paths import CERTAIN
from history.runfile import Run
from tests.support.history_factories import (
    Workspace,
    add_run,
    import_into,
    new_workspace,
)
from tests.support.mlflow_listing import listing

NAN = float("nan")


def is_accepted(key: str) -> bool:
    """Return whether MLflow accepts a key as the name of a file."""
    if sys.platform == "win32" and fault_of(key) is not None:
        return False
    return not key.startswith("..")


def is_name(part: str) -> bool:
    return bool(part.strip(" ."))


def is_no_path(text: str) -> bool:
    return CERTAIN.match(text) is None


PART = st.text("aZ09_-. :äß中", min_size=1, max_size=12).filter(is_name)
PARTS = st.lists(PART, min_size=1, max_size=3)
KEY = PARTS.map("/".join).filter(is_accepted)
TEXT = st.text(max_size=40).filter(is_no_path)
TIMES = st.integers(0, 10**6)
STEPS = st.integers(-5, 5)
POINT = st.tuples(st.floats(), TIMES, STEPS)


def time_and_step(point: tuple[float, int, int]) -> tuple[int, int]:
    _, time, step = point
    return time, step


POINTS = st.lists(POINT, min_size=1, max_size=4, unique_by=time_and_step)


def can_be_files(values: dict[str, Any]) -> bool:
    """Return whether the keys can be files beside each other.

    None may be a folder of another, or the same on Windows or macOS.
    """
    folders = set()
    for key in values:
        for index, letter in enumerate(key):
            if letter == "/":
                folders.add(key[:index])
    if folders & values.keys():
        return False
    return clash(values) is None


def by_name(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(KEY, values, max_size=4).filter(can_be_files)


@settings(max_examples=15)
@given(
    experiment=st.text(min_size=1, max_size=20),
    name=TEXT,
    user=TEXT,
    params=by_name(TEXT),
    tags=by_name(TEXT),
    metrics=by_name(POINTS),
)
def test_odd_names_and_values_survive_an_export_and_an_import(**content: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repo = new_workspace(folder / "one")
        again = new_workspace(folder / "two")
        run = add_run(repo.mlruns, **content)
        export(repo.history(), folder / "store")
        (imported,) = import_into(again, str(folder / "store"))
        result = runfile.load(imported / layout.RUN_FILE)
        assert comparable(result) == comparable(run)


def comparable(run: Run) -> dict[str, Any]:
    """Return a run whose points are in one order: NaN has none."""
    content = run.model_dump()
    metrics = {}
    latest = {}
    for key, points in run.metrics.items():
        metrics[key] = sorted(map(repr, points))
        latest[key] = repr(run.latest(key))
    return content | {"metrics": metrics, "latest": latest}


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_number_and_nan_at_one_step_the_larger_counts_as_in_sql(
    repo: Workspace,
    tmp_path: Path,
    order: int,
) -> None:
    high = [(NAN, 0, 0), (1.0, 0, 0)]
    low = [(NAN, 0, 0), (-1.0, 0, 0)]
    metrics = {"high": high[::order], "low": low[::order]}
    add_run(repo.mlruns, metrics=metrics)
    store = tmp_path / "store"
    export(repo.history(), store)
    database = tmp_path / "mlflow.db"
    build.build_database(repo.mlruns, database)

    with address.settings_for(store.as_uri()):
        shown = listing(store.as_uri(), None)
    (run,) = shown["experiments"]["housing"]["runs"].values()
    assert run["metrics"] == {"high": "1.0", "low": "nan"}
    uri = f"sqlite:///{database.as_posix()}"
    assert shown == listing(uri, str(repo.mlruns))
