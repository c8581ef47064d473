"""Drift: windows of predictions compared with the reference of real models."""

from itertools import pairwise

import numpy as np
import pytest

from app.observability.drift import Drift, measure_drift
from app.observability.prediction_log import Row
from app.serving.model import Model
from app.serving.validation import Record
from core.distributions import Distribution
from tests.support.service import MODELS


@pytest.fixture(scope="module")
def iris() -> Model:
    return Model(MODELS / "iris")


def sample(model: Model, count: int) -> list[Record]:
    """Return records whose every feature is distributed as in the reference."""
    rng = np.random.default_rng(0)
    columns = {}
    for name, distribution in model.manifest.reference.features.items():
        shares = distribution.normalized()
        values = rng.choice(middles(distribution), count, p=shares)
        columns[name] = values.tolist()
    records: list[Record] = []
    for place in range(count):
        record = {name: values[place] for name, values in columns.items()}
        records.append(record)
    return records


def middles(distribution: Distribution) -> list[float]:
    """Return a value inside each bin."""
    edges = distribution.edges
    inner = []
    for low, high in pairwise(edges):
        middle = (low + high) / 2
        inner.append(middle)
    above = edges[-1] + 0.01
    return [edges[0], *inner, above]


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


def sizes(result: Drift) -> list[int]:
    """Return the rows of each window, the newest first."""
    return [window.rows for window in result.windows]


def test_records_like_the_reference_have_not_drifted(iris: Model) -> None:
    records = sample(iris, 2000)
    result = measure(iris, records)
    # The features are drawn independently here, which changes the predictions.
    drifted = [name for name in result.drifted if not name.startswith("prediction")]
    assert drifted == []
    assert sizes(result) == [1000, 1000]
    for part in result.features.values():
        assert part.psi is not None
        assert part.psi < 0.05
        assert part.shares is not None
        assert sum(part.shares) == pytest.approx(1)


def test_a_feature_that_moves_is_named(iris: Model) -> None:
    records = sample(iris, 2000)
    for record in records:
        wider = float(record["sepal_width"]) + 0.4
        record["sepal_width"] = min(5.5, wider)
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
    assert sizes(result) == windows
    assert verdict in result.verdict
    assert result.rows == count
    petal_width = result.features["petal_width"]
    has_psi = petal_width.psi is not None
    assert has_psi == bool(windows)


def test_smaller_windows_have_higher_thresholds(iris: Model) -> None:
    smaller = measure(iris, sample(iris, 1900))
    larger = measure(iris, sample(iris, 2000))
    for name, part in smaller.features.items():
        threshold = larger.features[name].threshold
        assert part.threshold is not None
        assert threshold is not None
        assert part.threshold > threshold


def test_a_manifest_without_thresholds_gives_no_verdict() -> None:
    model = Model(MODELS / "iris")
    manifest = model.manifest
    reference = manifest.reference.model_copy(update={"thresholds": {}})
    model.manifest = manifest.model_copy(update={"reference": reference})
    result = measure(model, sample(model, 2000))
    petal_width = result.features["petal_width"]
    assert result.verdict == "no thresholds"
    assert result.drifted == []
    assert petal_width.psi is not None
