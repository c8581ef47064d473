"""Searches of a small task: real folds, MLflow's own store, and a history."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from core.errors import PipelineError, UsageError
from core.git import git
from history import History, layout, runfile
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as source
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.search import record
from pipeline.search.result import SearchResult
from pipeline.search.search import search
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.json_content import Json

SPACE: Json = {"logistic_regression": {"C": {"low": 0.01, "high": 100.0, "log": True}}}
CANDIDATES: Json = {"logistic_regression": {"C": 1.0, "solver": "newton-cholesky"}}
START = "tasks.iris.search.space"
# Spaces that are none, and what the sentence says about each.
WRONG_SPACES: list[tuple[Json, str]] = [
    ({}, f"{START}: Dictionary should have at least 1 item"),
    ({"logistic_regression": {}}, f"{START}.logistic_regression: Dictionary"),
    ({"forest": {"C": [1, 2]}}, f"{START}.forest: unknown algorithm"),
    (
        {"logistic_regression": {"c": [1, 2]}},
        f"{START}.logistic_regression.c: unknown key",
    ),
    ({"stacking": {"folds": [3, 5]}}, f"{START}.stacking: is a combination"),
]


def new_checkout(folder: Path, space: Json | None = None) -> Repo:
    """Return a repository that searches iris, and one commit."""
    folder.mkdir(exist_ok=True)
    searched = SPACE
    if space is not None:
        searched = space
    section: Json = {
        "folds": 3,
        "candidates": CANDIDATES,
        "search": {"trials": 8, "space": searched},
    }
    content = {
        "seed": 7,
        "holdout_share": 0.2,
        "tasks": {"iris": section},
    }
    parameters = yaml.safe_dump(content, sort_keys=False)
    (folder / "params.yaml").write_text(parameters)
    (folder / ".gitignore").write_text("build/\n")
    git(folder, "init", "--quiet", "-b", "main")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def search_iris(repo: Repo, trials: int | None = None) -> SearchResult:
    (result,) = search(repo, "iris", [], trials, None)
    return result


def runs_of(repo: Repo) -> tuple[list[Run], list[Run]]:
    """Return the parents and the nested runs of the searches in the history."""
    parents = []
    nested = []
    folders = layout.run_folders(repo.mlruns)
    for folder in folders.values():
        run = runfile.load(folder / layout.RUN_FILE)
        if run.parent:
            nested.append(run)
        else:
            parents.append(run)
    return parents, nested


@pytest.mark.slow
def test_a_search_is_in_the_history_and_a_clone_goes_on_from_there(
    tmp_path: Path,
) -> None:
    whole_repo = new_checkout(tmp_path / "whole")
    whole = search_iris(whole_repo, trials=12)
    repo = new_checkout(tmp_path / "first")
    first = search_iris(repo)
    assert _without_seconds(first) == _without_seconds(whole)[:8]
    (parent,), nested = runs_of(repo)
    assert parent.experiment == "iris-search"
    assert len(nested) == 8
    assert {run.parent for run in nested} == {parent.run_id}
    metric = nested[0].latest("cv_log_loss_mean")
    assert metric
    assert metric > 0
    with History.open(repo.mlruns) as history:
        assert history.verify() == []

    commit_all(repo.root, "feat: search")
    git(tmp_path, "clone", "--quiet", str(repo.root), "clone")
    clone = Repo.open(tmp_path / "clone")
    again = search_iris(clone, trials=12)
    assert _without_seconds(again) == _without_seconds(whole)
    parents, _ = runs_of(clone)
    assert len(parents) == 2


def _without_seconds(result: SearchResult) -> list[Json]:
    return [trial.model_dump(exclude={"seconds"}) for trial in result.trials]


@pytest.mark.slow
def test_only_the_best_trials_become_runs_of_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "KEPT", 3)
    repo = new_checkout(tmp_path / "checkout")
    result = search_iris(repo)
    (parent,), nested = runs_of(repo)
    kept = []
    for run in nested:
        mean = run.latest("cv_log_loss_mean")
        assert mean
        kept.append(mean)
    means = sorted(trial.mean for trial in result.trials)
    assert sorted(kept) == pytest.approx(means[:3], rel=1e-5)
    folder = layout.run_folders(repo.mlruns)[parent.run_id]
    artifact = folder / "artifacts" / "trials.json"
    stored = json.loads(artifact.read_bytes())
    assert len(stored["trials"]) == 8


@pytest.mark.slow
def test_the_rows_held_out_take_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual_repo = new_checkout(tmp_path / "usual")
    usual = search_iris(usual_repo)
    task = tasks.load("iris")
    repo = new_checkout(tmp_path / "altered")
    table = source.fetch(task, repo).table.copy()
    held = tables.in_holdout(task, table, 0.2)
    target = task.target.name
    classes = table.loc[held, target].to_numpy()
    table.loc[held, target] = classes[::-1]
    dataset = source.Dataset(table, "d" * 64, "altered", False)
    monkeypatch.setattr(source, "fetch", lambda *_: dataset)
    altered = search_iris(repo)
    assert _without_seconds(altered) == _without_seconds(usual)


@pytest.mark.slow
def test_a_trial_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    space = {"logistic_regression": {"C": [-1.0, 1.0]}}
    repo = new_checkout(tmp_path / "checkout", space)
    result = search_iris(repo)
    states = {trial.state for trial in result.trials}
    assert states == {"complete", "failed"}
    assert "failed)" in result.sentence("log_loss")
    failures = {trial.failure for trial in result.trials}
    failures.discard("")
    assert len(failures) == 1
    assert "'C' parameter" in failures.pop()


@pytest.mark.slow
def test_a_study_whose_trials_all_fail_is_one_sentence(tmp_path: Path) -> None:
    space = {"logistic_regression": {"C": [-1.0, -2.0]}}
    repo = new_checkout(tmp_path / "checkout", space)
    with pytest.raises(PipelineError) as caught:
        search_iris(repo, trials=4)
    sentence = str(caught.value)
    assert sentence.startswith(
        "iris: none of 4 trials of logistic_regression succeeded"
    )
    assert "\n" not in sentence


@pytest.mark.parametrize("space, sentence", WRONG_SPACES)
def test_a_space_that_is_none_is_one_sentence(
    tmp_path: Path, space: Json, sentence: str
) -> None:
    repo = new_checkout(tmp_path / "checkout", space)
    with pytest.raises(UsageError) as caught:
        search_iris(repo)
    message = str(caught.value)
    assert sentence in message
    assert message.startswith(f"params.yaml: {START}")


def test_a_task_without_a_search_is_one_sentence(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    with pytest.raises(UsageError, match=r"tasks\.credit\.search: is missing"):
        search(repo, "credit", [], None, None)
    with pytest.raises(UsageError, match=r"space: has no ridge; it has logistic"):
        search(repo, "iris", ["ridge"], None, None)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_search_that_is_killed_goes_on(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    command = [sys.executable, "-m", "pipeline", "--repo", str(repo.root)]
    command += ["search", "iris", "--trials", "400"]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    database = repo.build / "tracking"
    deadline = time.monotonic() + 120
    while not _logged(database) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert runs_of(repo) == ([], [])

    logged = _logged(database)
    wanted = logged + 4
    result = search_iris(repo, trials=wanted)
    assert len(result.trials) == wanted
    (parent,), nested = runs_of(repo)
    assert parent.latest("trials") == wanted
    assert {run.parent for run in nested} == {parent.run_id}


def _logged(folder: Path) -> int:
    """Return how many trials a tracking store has."""
    for path in folder.glob("*/mlflow.db"):
        address = f"file:{path}?mode=ro"
        with sqlite3.connect(address, uri=True) as connection:
            query = "SELECT count(*) FROM tags WHERE key = 'search.trial'"
            rows = connection.execute(query)
            (count,) = rows.fetchone()
            return int(count)
    return 0
