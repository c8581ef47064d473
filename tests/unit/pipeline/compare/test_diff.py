"""Two runs are compared by their parameters, data, metrics and predictions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.file_names import MODEL
from core.onnx_model import OnnxModel
from pipeline.compare.comparison import Entry
from pipeline.compare.metrics import better_side
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from tests.support.trained_runs import SHARE, TASK
from tests.unit.pipeline.compare.versions import (
    Versions,
    compare,
    compare_one,
    copy,
)

Value = str | None
Values = tuple[Value, Value]
NAMES = [
    "holdout_rmse",
    "holdout_roc_auc",
    "cv_r2_mean",
    "cv_r2_std",
]


def differing(entries: list[Entry]) -> dict[str, Values]:
    """Return the values of both sides where they differ, by their name."""
    values = {}
    for entry in entries:
        if entry.differs:
            values[entry.name] = (entry.a, entry.b)
    return values


def fetch_table(repo: Repo) -> pd.DataFrame:
    dataset = data.fetch(TASK, repo)
    return dataset.table


def test_versions_are_compared_by_what_went_in(versions: Versions) -> None:
    comparison = compare_one(versions, "iris@1", "iris")
    assert comparison.a.title == "iris v1"
    assert comparison.b.run_id == versions.second.run_id
    assert differing(comparison.parameters) == {
        "n_estimators": ("3", "9"),
        "min_samples_leaf": ("2", "1"),
    }
    assert differing(comparison.data) == {}
    first, second = versions.trained_at
    made_with = differing(comparison.made_with)
    assert made_with == {"commit": (first, second)}
    names = {entry.name for entry in comparison.parameters}
    settings = {"seed", "holdout_share", "exclude"}
    assert settings <= names


def test_metrics_have_the_intervals_of_the_manifest(versions: Versions) -> None:
    comparison = compare_one(versions, "iris@1", "iris@2")
    listed = []
    for entry in comparison.metrics:
        if entry.name == "holdout_log_loss":
            listed.append(entry)
    (metric,) = listed
    first = metric.a
    second = metric.b
    assert first
    assert second
    assert metric.change
    assert first.value == versions.first.latest("holdout_log_loss")
    assert first.low == first.high
    assert first.high == pytest.approx(first.value)
    assert metric.change == second.value - first.value
    better = "b" if metric.change < 0 else "a"
    assert metric.better == better


def outputs_of_models(repo: Repo, rows: pd.DataFrame) -> list[np.ndarray]:
    """Return what the models of the history predict, in the order of their runs."""
    paths = repo.mlruns.glob(f"iris/*/*/models/*/{MODEL}")
    outputs = []
    for path in sorted(paths):
        model = OnnxModel(path)
        output = model.predict(rows)
        outputs.append(output)
    return outputs


def test_the_predictions_that_changed_most_come_first(versions: Versions) -> None:
    repo = versions.runs.repo
    comparison = compare_one(versions, "iris@1", "iris@2")
    table = fetch_table(repo)
    in_holdout = tables.in_holdout(TASK, table, SHARE)
    holdout = table[in_holdout]
    first, second = outputs_of_models(repo, holdout)
    differences = abs(first - second)
    expected = differences.max(axis=1)
    is_changed = expected > TASK.tolerance
    predictions = comparison.predictions
    assert predictions
    assert predictions.rows == len(holdout)
    assert predictions.changed == is_changed.sum()
    most = predictions.most
    changes = [abs(row.change) for row in most]
    assert changes == sorted(changes, reverse=True)
    largest_change = expected.max()
    assert changes[0] == pytest.approx(largest_change)
    mean_change = expected.mean()
    assert predictions.mean_change == pytest.approx(mean_change)
    names = {feature.name for feature in TASK.features}
    assert most[0].features.keys() == names


def test_a_run_is_equal_to_itself(versions: Versions) -> None:
    run_id = versions.second.run_id
    short = run_id[:12]
    comparison = compare_one(versions, run_id, short)
    assert differing(comparison.parameters) == {}
    assert differing(comparison.data) == {}
    assert differing(comparison.made_with) == {}
    for metric in comparison.metrics:
        assert not metric.differs
    predictions = comparison.predictions
    assert predictions
    assert predictions.changed == 0
    assert predictions.most == []


def test_the_other_way_round_every_change_is_the_opposite(versions: Versions) -> None:
    one = compare_one(versions, "iris@1", "iris@2")
    other = compare_one(versions, "iris@2", "iris@1")
    metrics = zip(one.metrics, other.metrics, strict=True)
    for metric, opposite in metrics:
        change = opposite.change or 0
        assert metric.change == -change
        better = {metric.better, opposite.better}
        assert better in ({"a", "b"}, {""})
    assert one.predictions
    assert other.predictions
    rows = zip(
        one.predictions.most,
        other.predictions.most,
        strict=True,
    )
    for row, mirrored in rows:
        assert row.features == mirrored.features
        assert row.a == mirrored.b
        assert row.b == mirrored.a


@given(
    name=st.sampled_from(NAMES),
    change=st.floats(allow_nan=False, allow_infinity=False),
)
def test_at_most_one_side_is_better(name: str, change: float) -> None:
    side = better_side(name, change)
    opposite = better_side(name, -change)
    sides = {side, opposite}
    if change == 0 or name.endswith("std"):
        assert sides == {""}
    else:
        assert sides == {"a", "b"}


def test_a_model_that_is_not_kept_is_named(versions: Versions) -> None:
    run_id = versions.unpromoted.run_id
    comparison = compare_one(versions, "iris@1", run_id)
    assert comparison.predictions is None
    expected = f"the history does not keep the model of run {run_id[:8]}"
    assert comparison.no_predictions.startswith(expected)


def test_data_that_are_not_here_are_named(versions: Versions, tmp_path: Path) -> None:
    repo = copy(versions.runs, tmp_path / "copy")
    table = fetch_table(repo)
    digest = tables.digest(table)
    unknown = "0" * 64
    folder = repo.mlruns / "iris"
    for path in folder.glob("*/*/run.json"):
        text = path.read_text("utf-8")
        changed = text.replace(digest, unknown)
        path.write_text(changed)
    (comparison,) = compare(repo, "iris@1", "iris@2")
    assert comparison.predictions is None
    assert "the data of iris with the SHA-256 000000000000" in comparison.no_predictions
