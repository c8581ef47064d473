"""Drift: windows of predictions compared with the reference of real models."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from app.observability.drift import Drift, measure_drift
from app.observability.metrics import Metrics
from app.observability.prediction_log import PredictionLog, Row
from app.serving.model import Model
from app.serving.validation import Record
from app.settings import Settings
from core.distributions import Distribution
from tests.support.service import MODELS


@pytest.fixture(scope="module")
def iris() -> Model:
    return Model(MODELS / "iris")


def sample(model: Model, count: int) -> list[Record]:
    """Return records whose every feature is distributed as in the reference."""
    rng = np.random.default_rng(0)
    records = [dict[str, Any]() for _ in range(count)]
    for name, distribution in model.manifest.reference.features.items():
        shares = np.array(distribution.shares) / sum(distribution.shares)
        values = rng.choice(middles(distribution), count, p=shares)
        for record, value in zip(records, values, strict=True):
            record[name] = float(value)
    return records


def middles(distribution: Distribution) -> list[float]:
    """Return a value inside each bin."""
    edges = np.array(distribution.edges)
    inner = (edges[1:] + edges[:-1]) / 2
    return [edges[0], *inner, edges[-1] + 0.01]


def logged(model: Model, records: list[Record]) -> list[Row]:
    """Return records as the log returns them, newest first."""
    manifest = model.manifest
    rows = []
    for place, prediction in enumerate(model.predict(records)):
        row = Row(
            id=place,
            time=float(place),
            request_id=f"r-{place}",
            task=manifest.task,
            version=manifest.version,
            run_id=manifest.run_id,
            features=records[place],
            prediction=prediction,
            truth=None,
        )
        rows.append(row)
    return rows[::-1]


def measure(model: Model, records: list[Record]) -> Drift:
    return measure_drift(model, logged(model, records))


def test_records_like_the_reference_have_not_drifted(iris: Model) -> None:
    result = measure(iris, sample(iris, 2000))
    # The features are drawn independently here, which changes the predictions.
    drifted = [name for name in result.drifted if not name.startswith("prediction")]
    assert drifted == []
    assert [window.rows for window in result.windows] == [1000, 1000]
    for part in result.features.values():
        assert part.psi is not None
        assert part.psi < 0.05
    assert sum(result.features["petal_width"].shares or []) == pytest.approx(1)


def test_a_feature_that_moves_is_named(iris: Model) -> None:
    records = sample(iris, 2000)
    for record in records:
        record["sepal_width"] = min(5.5, float(record["sepal_width"]) + 0.4)
    result = measure(iris, records)
    assert result.verdict == "drift"
    assert "sepal_width" in result.drifted
    others = {"sepal_length", "petal_length", "petal_width"}
    assert others.isdisjoint(result.drifted)


def test_one_window_alone_is_not_drift(iris: Model) -> None:
    records = sample(iris, 2000)
    for record in records[1000:]:
        record["sepal_width"] = 4.4
    result = measure(iris, records)
    newest, previous = result.windows
    assert "sepal_width" in newest.drifted
    assert "sepal_width" not in previous.drifted
    assert "sepal_width" not in result.drifted
    assert newest.since > previous.until


@pytest.mark.parametrize(
    ("count", "windows", "verdict"),
    [
        (0, [], "few"),
        (299, [], "few"),
        (300, [300], "few"),
        (599, [300], "few"),
        (600, [300, 300], "drift"),
    ],
)
def test_few_rows_give_no_verdict(
    iris: Model, count: int, windows: list[int], verdict: str
) -> None:
    records = sample(iris, count) if count else []
    result = measure(iris, records)
    assert [window.rows for window in result.windows] == windows
    assert verdict in result.verdict
    assert result.rows == count
    has_psi = result.features["petal_width"].psi is not None
    assert has_psi == bool(windows)


def test_smaller_windows_have_higher_thresholds(iris: Model) -> None:
    small = measure(iris, sample(iris, 1900))
    large = measure(iris, sample(iris, 2000))
    for name, part in small.features.items():
        threshold = large.features[name].threshold
        assert part.threshold is not None
        assert threshold is not None
        assert part.threshold > threshold


def test_a_manifest_without_thresholds_gives_no_verdict() -> None:
    model = Model(MODELS / "iris")
    manifest = model.manifest
    reference = manifest.reference.model_copy(update={"thresholds": {}})
    model.manifest = manifest.model_copy(update={"reference": reference})
    result = measure(model, sample(model, 2000))
    assert result.verdict == "no thresholds"
    assert result.drifted == []
    assert result.features["petal_width"].psi is not None


def test_the_log_returns_the_newest_rows_of_one_version(
    iris: Model, settings: Callable[..., Settings], metrics: Metrics
) -> None:
    log = PredictionLog(settings(), metrics)
    older = Model(MODELS / "iris")
    older.manifest = older.manifest.model_copy(update={"version": 1})
    for model, request_id, count in ((older, "older", 5), (iris, "newer", 7)):
        records = sample(iris, count)
        log.add(request_id, model, records, model.predict(records))
    log.close()
    request_ids = {row.request_id for row in log.newest(iris, 100)}
    assert request_ids == {"newer"}
    rows = log.newest(iris, 3)
    assert len(rows) == 3
    assert rows[0].id > rows[1].id
    assert abs(rows[0].time - time.time()) < 60
    assert rows[0].truth is None
