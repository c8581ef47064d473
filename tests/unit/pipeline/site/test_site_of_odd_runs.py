"""The site of runs that are not the pipeline's own, with names that users chose."""

import math
from pathlib import Path
from typing import Any

import pytest

from core.files import sha256_file
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


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "copy")


def write(workspace: Workspace) -> Path:
    with workspace.history() as history:
        folder = workspace.root.parent / "site"
        return pages.write(Repo(workspace.root), history, folder).parent


def row_of(site: Path, experiment: dict[str, Any], run_id: str) -> list[Any]:
    days = [day for day, _ in experiment["days"]]
    for month in {day[:7] for day in days}:
        content = read_data(site, f"{experiment['folder']}/{month}")
        for row in content["rows"]:
            if row[0] == run_id:
                names = [content["params"][place] for place in row[9][::2]]
                params = dict(zip(names, row[9][1::2], strict=True))
                return [*row[:9], params, row[10]]
    raise AssertionError(run_id)


def test_the_same_history_gives_the_same_bytes(workspace: Workspace) -> None:
    for number in range(3):
        params = {"b": "1", "a": str(number)}
        add_run(workspace.mlruns, params=params, started=STARTED + number)
    first = digests(write(workspace))
    assert len(first) > 20
    assert digests(write(workspace)) == first


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}


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
    (experiment,) = read_data(site, "index")
    assert experiment["title"] == EXPERIMENT
    assert experiment["metric"] is None
    (day, count), *_ = experiment["days"]
    assert count == 1
    content = read_data(site, f"{experiment['folder']}/{day}")
    described = content["runs"][run.run_id]
    assert dict(described["params"]) == params
    assert dict(described["tags"]) == tags
    row = row_of(site, experiment, run.run_id)
    assert row[2] == MARKUP
    assert row[9] == params
    page = Page(site / "index.html")
    assert EXPERIMENT in page.text
    assert page.all("img") == []
    assert broken_links(site) == []


def test_numbers_that_json_does_not_have_and_runs_that_go_on(
    workspace: Workspace,
) -> None:
    run = add_run(
        workspace.mlruns,
        status="RUNNING",
        ended=None,
        metrics={
            "loss": [(math.nan, 0, 0), (math.inf, 1, 1), (-math.inf, 2, 2)],
            "auc": [(0.123456789012, 0, 0)],
        },
    )
    site = write(workspace)
    (experiment,) = read_data(site, "index")
    ((day, _),) = experiment["days"]
    described = read_data(site, f"housing/{day}")["runs"][run.run_id]
    metrics = dict(described["metrics"])
    assert [value for value, *_ in metrics["loss"]] == ["NaN", "Infinity", "-Infinity"]
    assert metrics["auc"][0][0] == 0.123456789012
    assert described["ended"] is None
    row = row_of(site, experiment, run.run_id)
    assert row[4] is None
    assert row[10][1] == 0.123457


def test_a_long_metric_is_thinned_and_keeps_its_ends(workspace: Workspace) -> None:
    count = 5 * run_content.MOST_POINTS
    points = [(float(step), step, step) for step in reversed(range(count))]
    run = add_run(workspace.mlruns, metrics={"loss": points})
    site = write(workspace)
    (experiment,) = read_data(site, "index")
    ((day, _),) = experiment["days"]
    described = read_data(site, f"housing/{day}")["runs"][run.run_id]
    ((_, kept),) = described["metrics"]
    steps = [step for _, _, step in kept]
    assert len(steps) == run_content.MOST_POINTS
    assert steps[0] == 0
    assert steps[-1] == count - 1
    assert steps == sorted(set(steps))


def test_a_family_that_reaches_into_the_next_month(workspace: Workspace) -> None:
    mlruns = workspace.mlruns
    parent = add_run(mlruns)
    child = add_run(mlruns, parent=parent.run_id, started=STARTED + 40 * DAY_MS)
    orphan = add_run(mlruns, parent="f" * 32)
    site = write(workspace)
    (experiment,) = read_data(site, "index")
    (first, _), (last, _) = experiment["days"]
    assert first[:7] != last[:7]
    described = read_data(site, f"housing/{last}")["runs"][child.run_id]
    assert described["parent"] == f"housing/{first}/{parent.run_id}"
    described = read_data(site, f"housing/{first}")["runs"][orphan.run_id]
    assert described["parent"] is None
    rows = read_data(site, f"housing/{last[:7]}")["rows"]
    assert [row[0] for row in rows] == [child.run_id]


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
    odd = dataset | {"name": "odd", "source": "[", "schema": "[]", "profile": None}
    run = add_run(workspace.mlruns, datasets=[dataset, odd])
    add_run(workspace.mlruns, datasets=[dataset])
    site = write(workspace)
    (experiment,) = read_data(site, "index")
    ((day, _),) = experiment["days"]
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
    assert content["runs"][run.run_id]["datasets"] == [0, 1]
