"""The site of runs that are not the pipeline's own, with names that users chose."""

import math
from pathlib import Path
from typing import Any

import pytest

from core.files import sha256_file
from history.runfile import Run
from pipeline.repo import Repo
from pipeline.site import run_content
from pipeline.site import site as pages
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    new_workspace,
)
from tests.support.site_pages import Page, broken_links, read_data

EXPERIMENT = "Übung <b> & more"
MARKUP = "</script><img src=x onerror=alert(1)>"
# The places of a row's parameters, by their numbers, and of its metrics.
PARAMS = 9
METRICS = 10
Content = dict[str, Any]
Row = list[Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "copy")


def write(workspace: Workspace) -> Path:
    repo = Repo(workspace.root)
    folder = workspace.root.parent / "site"
    with workspace.history() as history:
        index = pages.write(repo, history, folder)
    return index.parent


def only_experiment(site: Path) -> Content:
    experiment: Content
    (experiment,) = read_data(site, "index")
    return experiment


def days_of(experiment: Content) -> list[str]:
    return [day for day, _ in experiment["days"]]


def only_day(site: Path) -> str:
    experiment = only_experiment(site)
    (day,) = days_of(experiment)
    return day


def described_run(
    site: Path,
    day: str,
    run: Run,
) -> Content:
    """Return what the file of a day says about a run of housing."""
    content = read_data(site, f"housing/{day}")
    described: Content = content["runs"][run.run_id]
    return described


def row_of(site: Path, run: Run) -> Row:
    """Return the row of a run, with the names of its parameters."""
    experiment = only_experiment(site)
    folder = experiment["folder"]
    months = {day[:7] for day in days_of(experiment)}
    for month in months:
        content = read_data(site, f"{folder}/{month}")
        names = content["params"]
        for row in content["rows"]:
            if row[0] == run.run_id:
                return with_names(row, names)
    raise AssertionError(run.run_id)


def with_names(row: Row, names: list[str]) -> Row:
    """Return a row with its parameters by name instead of by number."""
    numbers = row[PARAMS][::2]
    values = row[PARAMS][1::2]
    params = {}
    for number, value in zip(numbers, values, strict=True):
        name = names[number]
        params[name] = value
    named = list(row)
    named[PARAMS] = params
    return named


def test_the_same_history_gives_the_same_bytes(workspace: Workspace) -> None:
    for number in range(3):
        params = {"b": "1", "a": str(number)}
        started = STARTED + number
        add_run(workspace.mlruns, params=params, started=started)
    first = digests(write(workspace))
    second = digests(write(workspace))
    assert len(first) > 20
    assert second == first


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file by its path."""
    sums = {}
    for path in folder.rglob("*"):
        if path.is_file():
            relative = path.relative_to(folder)
            sums[relative.as_posix()] = sha256_file(path)
    return sums


def test_text_of_users_stays_text(workspace: Workspace) -> None:
    params = {"__proto__": "1", MARKUP: MARKUP}
    tags = {"mlflow.runName": MARKUP, "note": "two\nlines \u2028"}
    run = add_run(
        workspace.mlruns,
        experiment=EXPERIMENT,
        name=MARKUP,
        params=params,
        tags=tags,
    )
    site = write(workspace)
    experiment = only_experiment(site)
    assert experiment["title"] == EXPERIMENT
    assert experiment["metric"] is None
    (day, count), *_ = experiment["days"]
    assert count == 1
    folder = experiment["folder"]
    content = read_data(site, f"{folder}/{day}")
    described = content["runs"][run.run_id]
    assert dict(described["params"]) == params
    assert dict(described["tags"]) == tags
    row = row_of(site, run)
    assert row[2] == MARKUP
    assert row[PARAMS] == params
    page = Page(site / "index.html")
    assert EXPERIMENT in page.text
    assert page.all("img") == []
    assert broken_links(site) == []


def test_numbers_that_json_does_not_have_and_runs_that_go_on(
    workspace: Workspace,
) -> None:
    losses = [
        (math.nan, 0, 0),
        (math.inf, 1, 1),
        (-math.inf, 2, 2),
    ]
    areas = [(0.123456789012, 0, 0)]
    run = add_run(
        workspace.mlruns,
        status="RUNNING",
        ended=None,
        metrics={"loss": losses, "auc": areas},
    )
    site = write(workspace)
    day = only_day(site)
    described = described_run(site, day, run)
    metrics = dict(described["metrics"])
    values = [value for value, *_ in metrics["loss"]]
    assert values == ["NaN", "Infinity", "-Infinity"]
    value, *_ = metrics["auc"][0]
    assert value == 0.123456789012
    assert described["ended"] is None
    row = row_of(site, run)
    assert row[4] is None
    row_metrics = row[METRICS]
    assert row_metrics[1] == 0.123457


def test_a_long_metric_is_thinned_and_keeps_its_ends(workspace: Workspace) -> None:
    count = 5 * run_content.MOST_POINTS
    points = []
    for step in reversed(range(count)):
        value = float(step)
        points.append((value, step, step))
    run = add_run(workspace.mlruns, metrics={"loss": points})
    site = write(workspace)
    day = only_day(site)
    described = described_run(site, day, run)
    ((_, kept),) = described["metrics"]
    steps = [step for _, _, step in kept]
    assert len(steps) == run_content.MOST_POINTS
    assert steps[0] == 0
    assert steps[-1] == count - 1
    distinct = set(steps)
    assert steps == sorted(distinct)


def test_a_family_that_reaches_into_the_next_month(workspace: Workspace) -> None:
    mlruns = workspace.mlruns
    parent = add_run(mlruns)
    much_later = STARTED + 40 * DAY_MS
    child = add_run(mlruns, parent=parent.run_id, started=much_later)
    unknown = "f" * 32
    orphan = add_run(mlruns, parent=unknown)
    site = write(workspace)
    experiment = only_experiment(site)
    first, last = days_of(experiment)
    last_month = last[:7]
    assert first[:7] != last_month
    described = described_run(site, last, child)
    assert described["parent"] == f"housing/{first}/{parent.run_id}"
    described = described_run(site, first, orphan)
    assert described["parent"] is None
    content = read_data(site, f"housing/{last_month}")
    run_ids = [row[0] for row in content["rows"]]
    assert run_ids == [child.run_id]


def test_data_sets_of_a_day_are_listed_once(workspace: Workspace) -> None:
    dataset = {
        "name": "houses",
        "digest": "abc",
        "source_type": "http",
        "source": '{"url": "https://example.org/houses.csv"}',
        "schema": '{"mlflow_colspec": [{"name": "rooms"}, {"name": "price"}]}',
        "profile": '{"num_rows": 300}',
        "tags": {},
    }
    unreadable = {"name": "odd", "source": "[", "schema": "[]", "profile": None}
    odd = dataset | unreadable
    run = add_run(workspace.mlruns, datasets=[dataset, odd])
    add_run(workspace.mlruns, datasets=[dataset])
    site = write(workspace)
    day = only_day(site)
    content = read_data(site, f"housing/{day}")
    houses, other = content["datasets"]
    assert houses == {
        "name": "houses",
        "digest": "abc",
        "source": "https://example.org/houses.csv",
        "rows": 300,
        "columns": ["rooms", "price"],
    }
    assert other["source"] == "["
    assert other["columns"] == []
    described = described_run(site, day, run)
    assert described["datasets"] == [0, 1]
