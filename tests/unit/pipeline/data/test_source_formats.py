"""Every source of a task gives the same table, in its own format.

The rows are generated, and written as each source has them: the real ones are not for a
repository. Where the folders with the real data are set, those are tested too.
"""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.data.layout import Layout
from pipeline.repo import Repo
from tests.support.web_servers import Server
from tests.unit.pipeline.data.source_files import (
    case_id,
    census,
    encode,
    raw_table,
    serve,
    task_table,
    web_sources,
)

WEB = web_sources()
HOUSING = [place for name, place in WEB if name == "housing"]
CREDIT = [place for name, place in WEB if name == "credit"]
# scikit-learn's cache has the original's columns in another order.
ORDER = [8, 7, 2, 3, 4, 5, 6, 1, 0]


@pytest.mark.parametrize(
    ("name", "place"), WEB, ids=[case_id(*source) for source in WEB]
)
def test_a_source_gives_the_table_of_its_task(
    name: str,
    place: int,
    server: Server,
    repo: Repo,
) -> None:
    task = tasks.load(name)
    raw = raw_table(task, task.sources[place])
    digest = tables.digest(task_table(task))
    task = serve(server, task, place, raw)
    task = replace(task, digest=digest, rows_digest="")
    dataset = fetch(task, repo)
    assert dataset.digest == digest
    assert dataset.snapshot is True


@pytest.mark.parametrize("name", ["housing", "credit", "iris"])
def test_a_task_has_three_independent_sources(name: str) -> None:
    independent = set()
    for source in tasks.load(name).sources:
        if source.web:
            host = source.address.split("/")[2]
            independent.add(host)
        elif not source.private:
            independent.add(source.place)
    assert len(independent) >= 3


@pytest.mark.skipif(
    not os.environ.get("SCIKIT_LEARN_DATA"), reason="SCIKIT_LEARN_DATA is not set"
)
@pytest.mark.parametrize(
    "place", HOUSING, ids=[case_id("housing", place) for place in HOUSING]
)
def test_the_real_housing_is_the_same_from_every_source(
    place: int, server: Server, repo: Repo
) -> None:
    import joblib

    folder = Path(os.environ["SCIKIT_LEARN_DATA"])
    stored = joblib.load(folder / "cal_housing_py3.pkz")
    columns = list(census(1).columns)
    raw = pd.DataFrame(stored[:, ORDER], columns=columns)
    expect_real("housing", place, raw, server, repo)


@pytest.mark.skipif(
    not os.environ.get("MLOPS_DATA_DIR"), reason="MLOPS_DATA_DIR is not set"
)
@pytest.mark.parametrize(
    "place", CREDIT, ids=[case_id("credit", place) for place in CREDIT]
)
def test_the_real_credit_is_the_same_from_every_source(
    place: int, server: Server, repo: Repo
) -> None:
    task = tasks.load("credit")
    real = fetch(task, repo).table
    layout = task.sources[place].table or Layout()
    raw = encode(real, layout)
    expect_real("credit", place, raw, server, repo)


def expect_real(
    name: str,
    place: int,
    raw: pd.DataFrame,
    server: Server,
    repo: Repo,
) -> None:
    """Check that one source, which has these rows, gives the task's table."""
    task = tasks.load(name)
    options = task.sources[place].options
    names = options.get("names", raw.columns)
    task = serve(server, task, place, raw[list(names)])
    dataset = fetch(task, repo)
    assert dataset.digest == task.digest
