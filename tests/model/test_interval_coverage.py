"""The prediction intervals of real models hold what they promise on the hold-out."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from core.intervals import Range
from core.manifest import Manifest
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.fetch import fetch
from pipeline.params import Parameters, load
from pipeline.repo import Repo
from pipeline.schema import Kind
from pipeline.train import estimators, evaluate, export, intervals, units
from pipeline.train.training_data import TrainingData
from tests.paths import ROOT
from tests.support import strategies

REPO = Repo.open(ROOT)
LINEAR: dict[str, Parameters] = {"linear_regression": {}}
LIMITS = Range(None, None)
REGRESSIONS = [
    name for name in tasks.names() if tasks.load(name).kind is Kind.REGRESSION
]
is_here, reason = strategies.real("housing")


def tolerance(level: int, rows: int) -> float:
    """Return four standard errors of a coverage, those of both samples together."""
    share = level / 100
    variance = share * (1 - share)
    # The hold-out is a quarter as large as the rows of the calibration.
    standard_error = np.sqrt(variance * 1.25 / rows)
    return 4 * float(standard_error)


@pytest.mark.skipif(not is_here, reason=reason)
def test_a_training_on_the_real_rows_covers_the_hold_out() -> None:
    """Also where the values are small or large, by fifths of the predictions."""
    task = tasks.load("housing")
    table = fetch(task, REPO).table
    held = tables.in_holdout(task, table, load(REPO).holdout_share)
    data = TrainingData(
        task=task,
        features=list(task.features),
        train=table[~held],
        holdout=table[held],
        folds=5,
        seed=1,
    )
    first_folds = units.units_of(LINEAR, 5)[:5]
    with threadpool_limits(limits=1):
        outcomes = [units.run(data, unit) for unit in first_folds]
        prediction = _fitted_on_all(data)
    out_of_fold = np.concatenate([outcome.out_of_fold for outcome in outcomes])
    calibrated = intervals.calibrate(out_of_fold, data.truth, prediction, LIMITS)
    edges = np.quantile(prediction, [0.2, 0.4, 0.6, 0.8])
    fifths = np.searchsorted(edges, prediction)
    for measured in calibrated.levels:
        expected = measured.level / 100
        allowed = tolerance(measured.level, len(data.holdout))
        assert measured.coverage == pytest.approx(expected, abs=allowed)
        bounds = calibrated.bounds(measured.level, prediction, LIMITS)
        low, high = bounds.T
        is_above_low = low <= data.truth
        is_covered = is_above_low & (data.truth <= high)
        for fifth in range(5):
            rows = fifths == fifth
            allowed = tolerance(measured.level, int(rows.sum()))
            coverage = is_covered[rows].mean()
            assert coverage == pytest.approx(expected, abs=allowed)


def _fitted_on_all(data: TrainingData) -> np.ndarray:
    """Return the predictions for the hold-out."""
    inputs = estimators.as_inputs(data.features, data.train)
    kind = data.task.kind
    model = estimators.build(kind, "linear_regression", {}, data.features, data.seed)
    truth = evaluate.encode(data.task, data.train)
    model.fit(inputs, truth)
    held_out = estimators.as_inputs(data.features, data.holdout)
    return export.predict_with_sklearn(data.task, model, held_out)


@pytest.mark.parametrize("task", REGRESSIONS)
def test_the_model_in_service_covers_the_hold_out(task: str) -> None:
    path = REPO.models / task / "manifest.json"
    if not path.is_file():
        pytest.skip(f"no model of {task} is in service")
    manifest = Manifest.read(path)
    if manifest.intervals is None:
        pytest.skip(f"the model of {task} has no prediction intervals")
    for measured in manifest.intervals.levels:
        allowed = tolerance(measured.level, manifest.holdout.rows)
        expected = measured.level / 100
        assert measured.coverage == pytest.approx(expected, abs=allowed)
