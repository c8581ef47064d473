"""Two runs are compared by their parameters, data, metrics and predictions."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from core.file_names import MODEL
from core.onnx_model import OnnxModel
from pipeline.compare import compare as comparing
from pipeline.compare.comparison import Comparison, Entry
from pipeline.compare.metrics import better_side
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.verification import open_history
from tests.support.history_factories import add_run
from tests.support.trained_runs import SHARE, TASK, TrainedRuns
from tests.unit.pipeline.compare.versions import Versions


def compare(repo: Repo, a: str, b: str) -> list[Comparison]:
    with open_history(repo) as history:
        return comparing.compare(repo, history, a, b)


def compare_one(versions: Versions, a: str, b: str) -> Comparison:
    (comparison,) = compare(versions.runs.repo, a, b)
    return comparison


def differing(entries: list[Entry]) -> dict[str, tuple[str | None, str | None]]:
    return {entry.name: (entry.a, entry.b) for entry in entries if entry.differs}


def copy(runs: TrainedRuns, folder: Path) -> Repo:
    shutil.copytree(runs.repo.root, folder)
    return Repo.open(folder)


def test_versions_are_compared_by_what_went_in(versions: Versions) -> None:
    comparison = compare_one(versions, "iris@1", "iris")
    assert comparison.a.title == "iris v1"
    assert comparison.b.run_id == versions.second.run_id
    assert differing(comparison.parameters) == {
        "n_estimators": ("3", "9"),
        "min_samples_leaf": ("2", "1"),
    }
    assert differing(comparison.data) == {}
    commits = (versions.trained_at[0], versions.trained_at[1])
    assert differing(comparison.made_with) == {"commit": commits}
    names = [entry.name for entry in comparison.parameters]
    assert {"seed", "holdout_share", "exclude"} <= set(names)


def test_metrics_have_the_intervals_of_the_manifest(versions: Versions) -> None:
    comparison = compare_one(versions, "iris@1", "iris@2")
    (metric,) = [
        entry for entry in comparison.metrics if entry.name == "holdout_log_loss"
    ]
    assert metric.a and metric.b and metric.change
    assert metric.a.value == versions.first.latest("holdout_log_loss")
    assert metric.a.low == metric.a.high == pytest.approx(metric.a.value)
    assert metric.change == metric.b.value - metric.a.value
    assert metric.better == ("b" if metric.change < 0 else "a")


def test_the_predictions_that_changed_most_come_first(versions: Versions) -> None:
    repo = versions.runs.repo
    comparison = compare_one(versions, "iris@1", "iris@2")
    table = data.fetch(TASK, repo).table
    holdout = table[tables.in_holdout(TASK, table, SHARE)]
    outputs = []
    for path in sorted(repo.mlruns.glob(f"iris/*/*/models/*/{MODEL}")):
        outputs.append(OnnxModel(path).predict(holdout))
    expected = abs(outputs[0] - outputs[1]).max(axis=1)
    predictions = comparison.predictions
    assert predictions
    assert predictions.rows == len(holdout)
    assert predictions.changed == (expected > TASK.tolerance).sum()
    changes = [abs(row.change) for row in predictions.most]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] == pytest.approx(expected.max())
    assert predictions.mean_change == pytest.approx(expected.mean())
    assert predictions.most[0].features.keys() == {f.name for f in TASK.features}


def test_a_run_is_equal_to_itself(versions: Versions) -> None:
    run_id = versions.second.run_id
    comparison = compare_one(versions, run_id, run_id[:12])
    entries = [*comparison.parameters, *comparison.data, *comparison.made_with]
    assert differing(entries) == {}
    assert not any(metric.differs for metric in comparison.metrics)
    assert comparison.predictions
    assert comparison.predictions.changed == 0
    assert comparison.predictions.most == []


def test_the_other_way_round_every_change_is_the_opposite(versions: Versions) -> None:
    one = compare_one(versions, "iris@1", "iris@2")
    other = compare_one(versions, "iris@2", "iris@1")
    for metric, opposite in zip(one.metrics, other.metrics, strict=True):
        assert metric.change == -(opposite.change or 0)
        assert {metric.better, opposite.better} in ({"a", "b"}, {""})
    assert one.predictions and other.predictions
    for row, mirrored in zip(one.predictions.most, other.predictions.most, strict=True):
        assert row.features == mirrored.features
        assert (row.a, row.b) == (mirrored.b, mirrored.a)


@given(
    st.sampled_from(["holdout_rmse", "holdout_roc_auc", "cv_r2_mean", "cv_r2_std"]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_at_most_one_side_is_better(name: str, change: float) -> None:
    sides = {better_side(name, change), better_side(name, -change)}
    is_judged = change != 0 and not name.endswith("std")
    assert sides == ({"a", "b"} if is_judged else {""})


def test_a_commit_means_what_was_trained_at_it(versions: Versions) -> None:
    first, second = versions.trained_at
    comparison = compare_one(versions, first, second[:9])
    assert comparison.a.title == f"iris, trained at {first[:7]}"
    assert comparison.a.run_id == versions.first.run_id
    assert comparison.b.run_id == versions.second.run_id


def test_another_commit_means_what_was_in_service_in_it(versions: Versions) -> None:
    comparison = compare_one(versions, "HEAD", "iris@2")
    assert comparison.a.title == f"iris v2, in service at {versions.runs.head[:7]}"
    assert comparison.a.run_id == versions.second.run_id


def test_a_training_means_its_challenger(versions: Versions) -> None:
    training = str(versions.first.parent)
    comparison = compare_one(versions, training, versions.first.run_id)
    assert comparison.a.run_id == versions.first.run_id


def test_a_model_that_is_not_kept_is_named(versions: Versions) -> None:
    run_id = versions.unpromoted.run_id
    comparison = compare_one(versions, "iris@1", run_id)
    assert comparison.predictions is None
    expected = f"the history does not keep the model of run {run_id[:8]}"
    assert comparison.no_predictions.startswith(expected)


def test_data_that_are_not_here_are_named(versions: Versions, tmp_path: Path) -> None:
    repo = copy(versions.runs, tmp_path / "copy")
    content = (repo.mlruns / "iris").glob("*/*/run.json")
    digest = tables.digest(data.fetch(TASK, repo).table)
    for path in content:
        text = path.read_text("utf-8")
        path.write_text(text.replace(digest, "0" * 64))
    (comparison,) = compare(repo, "iris@1", "iris@2")
    assert comparison.predictions is None
    assert "the data of iris with the SHA-256 000000000000" in comparison.no_predictions


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
    versions: Versions, a: str, b: str, message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        compare(versions.runs.repo, a, b)


def test_two_tasks_and_a_commit_without_runs_are_refused(
    versions: Versions, tmp_path: Path
) -> None:
    repo = copy(versions.runs, tmp_path / "copy")
    other = add_run(repo.mlruns, experiment="housing")
    message = "is of the task housing and iris of iris: compare two of the same task"
    with pytest.raises(UsageError, match=message):
        compare(repo, other.run_id, "iris")
    shutil.rmtree(repo.mlruns / "iris")
    with pytest.raises(UsageError, match="no run that was trained at commit"):
        compare(repo, versions.trained_at[0], "iris")
