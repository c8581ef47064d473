"""The thresholds of drift, on the rows that the models in service were trained on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.distributions import LEAST, MOST, Distribution, psi
from core.manifest import Reference
from pipeline import params, tasks
from pipeline.data.fetch import fetch
from pipeline.data.table import in_holdout
from pipeline.publish import thresholds
from pipeline.repo import Repo
from pipeline.train.manifest import distribution
from tests.support import strategies
from tests.support.service import ROOT, TASKS

WINDOWS = 1000


@pytest.fixture(params=TASKS, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rows(name: str, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return the rows that a model of the task is trained on."""
    is_available, reason = strategies.real(name)
    if not is_available:
        pytest.skip(reason)
    task = tasks.load(name)
    repo = Repo(tmp_path_factory.mktemp("repo"))
    table = fetch(task, repo).table
    share = params.load(Repo.open(ROOT)).holdout_share
    return table[~in_holdout(task, table, share)]


@pytest.fixture(scope="module")
def reference(name: str, rows: pd.DataFrame) -> Reference:
    """Return the reference of the rows, with the target as the prediction."""
    task = tasks.load(name)
    target = distribution(rows[task.target.name], task.target.classes)
    features = {}
    for feature in task.features:
        values = rows[feature.name]
        features[feature.name] = distribution(values, feature.categories)
    predictions = {"target": target}
    count = len(rows)
    measured = Reference(rows=count, features=features, predictions=predictions)
    bootstrapped = thresholds.bootstrap(measured, count)
    return measured.model_copy(update={"thresholds": bootstrapped})


def exceeds_threshold(reference: Reference, feature: str, values: Any) -> bool:
    """Return whether a window's values of a feature exceed their threshold."""
    expected = reference.features[feature]
    limits = reference.thresholds[len(values)]["features"]
    index = psi(expected.shares, reference.rows, expected.count(values))
    return bool(index > limits[feature])


def has_alert(reference: Reference, window: pd.DataFrame) -> bool:
    """Return whether any feature of a window exceeds its threshold."""
    for name in reference.features:
        if exceeds_threshold(reference, name, window[name].to_numpy()):
            return True
    return False


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize("size", (LEAST, MOST))
def test_at_most_one_window_in_a_hundred_alerts_without_drift(
    reference: Reference, rows: pd.DataFrame, size: int
) -> None:
    rng = np.random.default_rng(1)
    alerts = 0
    for _ in range(WINDOWS):
        drawn = rng.integers(0, len(rows), size)
        window = rows.iloc[drawn]
        if has_alert(reference, window):
            alerts += 1
    assert alerts <= 0.01 * WINDOWS


def shifted_windows(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield 100 windows of 1,000 rows, shifted by half a standard deviation."""
    rng = np.random.default_rng(2)
    is_whole = bool((values == values.round()).all())
    for _ in range(100):
        half_a_deviation = values.std() / 2
        shifted = rng.choice(values, 1000) + half_a_deviation
        if is_whole:  # years and counts are rounded up or down by chance
            shifted = np.floor(shifted + rng.random(1000))
        yield shifted


def test_a_shift_by_half_a_standard_deviation_exceeds_the_threshold(
    name: str, reference: Reference, rows: pd.DataFrame
) -> None:
    for feature in tasks.load(name).features:
        if feature.categories:
            continue
        values = rows[feature.name].to_numpy(float)
        alerts = 0
        for window in shifted_windows(values):
            alerts += exceeds_threshold(reference, feature.name, window)
        assert alerts >= 95, feature.name


def test_the_same_reference_has_the_same_thresholds(reference: Reference) -> None:
    again = thresholds.bootstrap(reference, reference.rows)
    assert again == reference.thresholds


def test_a_reference_of_few_rows_has_higher_thresholds() -> None:
    shares = [0.25] * 4
    quarters = Distribution(edges=[1.0, 2.0, 3.0], shares=shares)

    def limits(count: int) -> dict[str, dict[str, float]]:
        reference = Reference(
            rows=count, features={"x": quarters}, predictions={"value": quarters}
        )
        return thresholds.bootstrap(reference, count)[MOST]

    few = limits(50)
    many = limits(50_000)
    of_many_rows = many["features"]["x"]
    assert of_many_rows > 0
    assert few["features"]["x"] > 3 * of_many_rows
    assert few["predictions"]["value"] > 3 * many["predictions"]["value"]
