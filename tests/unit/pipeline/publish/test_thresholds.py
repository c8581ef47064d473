"""What the thresholds promise, on the rows that the models in service were made of."""

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
    """The rows that a model of the task is made of."""
    found, reason = strategies.real(name)
    if not found:
        pytest.skip(reason)
    task = tasks.load(name)
    table = fetch(task, Repo(tmp_path_factory.mktemp("repo"))).table
    return table[~in_holdout(task, table, params.load(Repo.open(ROOT)).holdout_share)]


@pytest.fixture(scope="module")
def reference(name: str, rows: pd.DataFrame) -> Reference:
    """Their reference, the target in place of the predictions."""
    task = tasks.load(name)
    target = distribution(rows[task.target.name], task.target.classes)
    features = {f.name: distribution(rows[f.name], f.categories) for f in task.features}
    made = Reference(rows=len(rows), features=features, predictions={"target": target})
    bootstrapped = thresholds.bootstrap(made, len(rows))
    return made.model_copy(update={"thresholds": bootstrapped})


def over(reference: Reference, feature: str, values: Any) -> bool:
    """Tell whether a window's values of a feature are over their threshold."""
    known = reference.features[feature]
    limit = reference.thresholds[len(values)]["features"][feature]
    return bool(psi(known.shares, reference.rows, known.count(values)) > limit)


@pytest.mark.slow
@pytest.mark.parametrize("size", (LEAST, MOST))
def test_at_most_one_window_in_a_hundred_alerts_without_drift(
    reference: Reference, rows: pd.DataFrame, size: int
) -> None:
    rng = np.random.default_rng(1)
    columns = {name: rows[name].to_numpy() for name in reference.features}
    alerts = 0
    for _ in range(WINDOWS):
        window = rng.integers(0, len(rows), size)
        alerts += any(over(reference, name, columns[name][window]) for name in columns)
    assert alerts <= 0.01 * WINDOWS


def test_half_a_standard_deviation_is_found_at_a_thousand_rows(
    name: str, reference: Reference, rows: pd.DataFrame
) -> None:
    rng = np.random.default_rng(2)
    numbers = [
        feature for feature in tasks.load(name).features if not feature.categories
    ]
    for feature in numbers:
        values = rows[feature.name].to_numpy(float)
        whole = bool((values == values.round()).all())
        found = 0
        for _ in range(100):
            shifted = rng.choice(values, 1000) + values.std() / 2
            if whole:  # years and counts stay whole: rounded up or down by chance
                shifted = np.floor(shifted + rng.random(1000))
            found += over(reference, feature.name, shifted)
        assert found >= 95, feature.name


def test_the_same_reference_has_the_same_thresholds(reference: Reference) -> None:
    again = thresholds.bootstrap(reference, reference.rows)
    assert again == reference.thresholds


def test_a_reference_of_few_rows_has_higher_thresholds() -> None:
    quarters = Distribution(edges=[1.0, 2.0, 3.0], shares=[0.25] * 4)
    parts = {"features": {"x": quarters}, "predictions": {"value": quarters}}
    few, many = (
        thresholds.bootstrap(Reference(rows=count, **parts), count)[MOST]
        for count in (50, 50_000)
    )
    assert few["features"]["x"] > 3 * many["features"]["x"] > 0
    assert few["predictions"]["value"] > 3 * many["predictions"]["value"]
