"""Runs are named by their versions, commits and ids, and a wrong name is explained."""

import re
import shutil
from pathlib import Path

import pytest

from core.errors import UsageError
from tests.support.history_factories import add_run
from tests.unit.pipeline.compare.versions import (
    Versions,
    compare,
    compare_one,
    copy,
)


def test_a_commit_means_what_was_trained_at_it(versions: Versions) -> None:
    first, second = versions.trained_at
    comparison = compare_one(versions, first, second[:9])
    short = first[:7]
    assert comparison.a.title == f"iris, trained at {short}"
    assert comparison.a.run_id == versions.first.run_id
    assert comparison.b.run_id == versions.second.run_id


def test_another_commit_means_what_was_in_service_in_it(versions: Versions) -> None:
    comparison = compare_one(versions, "HEAD", "iris@2")
    short = versions.runs.head[:7]
    assert comparison.a.title == f"iris v2, in service at {short}"
    assert comparison.a.run_id == versions.second.run_id


def test_a_training_means_its_challenger(versions: Versions) -> None:
    challenger = versions.first
    training = str(challenger.parent)
    comparison = compare_one(versions, training, challenger.run_id)
    assert comparison.a.run_id == challenger.run_id


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ("zz", "iris", "'zz' is neither a run of this history, nor a task"),
        ("ffffff", "iris", "'ffffff' is neither a run"),
        ("iris@3", "iris", "iris has no version '3': its versions are 1 to 2"),
        ("iris", "iris@one", "iris has no version 'one'"),
        ("iris", "wine@1", "'wine@1' is neither a run"),
        ("iris", "credit", "credit has no champion yet"),
        ("credit@1", "iris", "credit has no version '1': it has none yet"),
        ("iris", "--version", "'--version' is neither a run"),
    ],
)
def test_a_name_that_means_nothing_is_one_sentence(
    versions: Versions,
    a: str,
    b: str,
    message: str,
) -> None:
    repo = versions.runs.repo
    pattern = re.escape(message)
    with pytest.raises(UsageError, match=pattern):
        compare(repo, a, b)


def test_two_tasks_and_a_commit_without_runs_are_refused(
    versions: Versions,
    tmp_path: Path,
) -> None:
    repo = copy(versions.runs, tmp_path / "copy")
    other = add_run(repo.mlruns, experiment="housing")
    message = "is of the task housing and iris of iris: compare two of the same task"
    with pytest.raises(UsageError, match=message):
        compare(repo, other.run_id, "iris")
    first_commit = versions.trained_at[0]
    shutil.rmtree(repo.mlruns / "iris")
    with pytest.raises(UsageError, match="no run that was trained at commit"):
        compare(repo, first_commit, "iris")
