"""One candidate's failure is its own; the best of the others is the challenger."""

import dataclasses

import pytest
from sklearn.model_selection import cross_validate

from core.errors import PipelineError
from pipeline.train import estimators, evaluate
from pipeline.train.backend import FEW_ROWS, LocalBackend
from pipeline.train.candidates import Candidate, Failure, best, fit_all
from pipeline.train.training_data import TrainingData
from pipeline.train.units import Outcome, Unit
from tests.support import strategies

CANDIDATES = {
    "dummy": {},
    "random_forest": {"n_estimators": -5},
    "gradient_boosting": {"learning_rate": 1e300, "n_estimators": 5},
    "linear_regression": {},
}


@pytest.fixture(scope="module")
def results() -> list[Candidate | Failure]:
    return list(fit_all(strategies.training_data("housing"), CANDIDATES))


def test_a_candidate_that_fails_to_fit_leaves_the_others_alone(
    results: list[Candidate | Failure],
) -> None:
    assert [result.algorithm for result in results] == list(CANDIDATES)
    failed = results[1]
    assert isinstance(failed, Failure)
    assert "n_estimators" in failed.reason
    assert "\n" not in failed.reason
    for result in (results[0], results[3]):
        assert isinstance(result, Candidate)


def test_a_metric_that_is_not_a_number_is_a_failure(
    results: list[Candidate | Failure],
) -> None:
    failed = results[2]
    assert isinstance(failed, Failure)
    assert "not a number" in failed.reason


def test_the_best_in_cross_validation_wins(results: list[Candidate | Failure]) -> None:
    data = strategies.training_data("housing")
    winner = best(data.task, results)
    assert winner
    assert winner.algorithm == "linear_regression"
    assert len(winner.folds) == 3
    mean = sum(winner.folds) / 3
    assert winner.cross_validation["rmse_mean"] == pytest.approx(mean)
    assert winner.parity.mismatches == 0
    assert winner.importance.shape == (8, 2)
    failures = results[1:3]
    assert best(data.task, failures) is None


def test_a_process_for_each_core_gives_the_same_result(
    results: list[Candidate | Failure],
) -> None:
    data = strategies.training_data("housing")
    assert len(data.train) < FEW_ROWS  # `results` are of this process alone
    processes = LocalBackend(FEW_ROWS)
    (again,) = fit_all(data, {"linear_regression": {}}, processes)
    first = results[3]
    assert isinstance(first, Candidate)
    assert isinstance(again, Candidate)
    assert again.onnx == first.onnx
    assert again.folds == first.folds
    assert again.holdout == first.holdout


def test_the_folds_are_those_of_one_cross_validation(
    results: list[Candidate | Failure],
) -> None:
    """Each fold is a unit of work of its own, and their order is that of the split."""
    data = strategies.training_data("housing")
    inputs = estimators.as_inputs(data.features, data.train)
    truth = evaluate.encode(data.task, data.train)
    pipeline = estimators.build(
        data.task.kind,
        "linear_regression",
        {},
        data.features,
        data.seed,
        data.derived,
    )
    scores = cross_validate(
        pipeline,
        inputs,
        truth,
        cv=data.split(),
        scoring="neg_root_mean_squared_error",
    )
    candidate = results[3]
    assert isinstance(candidate, Candidate)
    assert candidate.folds == pytest.approx(-scores["test_score"], rel=1e-12)


def test_units_are_reported_in_order_each_with_its_time() -> None:
    data = strategies.training_data("housing")
    done: list[tuple[str, float]] = []

    def report(unit: Unit, outcome: Outcome) -> None:
        done.append((str(unit), outcome.seconds))

    candidates = {"dummy": {}, "linear_regression": {}}
    list(fit_all(data, candidates, report=report))
    names = [name for name, _ in done]
    expected = []
    for algorithm in candidates:
        for fold in (1, 2, 3):
            expected.append(f"{algorithm}, fold {fold}")
        expected.append(f"{algorithm}, final fit")
    assert names == expected
    assert all(seconds > 0 for _, seconds in done)


def _without(data: TrainingData, part: str) -> TrainingData:
    """Return data without one class among the training rows or the hold-out."""
    table = getattr(data, part)
    others = table[table.species != "setosa"]
    return dataclasses.replace(data, **{part: others})


def test_too_few_rows_of_a_class_are_refused() -> None:
    data = strategies.training_data("iris")
    assert len(data.split()) == 3
    message = "iris: .* too few for 3 folds and a hold-out with"
    for part in ("train", "holdout"):
        lacking = _without(data, part)
        with pytest.raises(PipelineError, match=message):
            lacking.split()


def test_fewer_rows_than_folds_are_refused() -> None:
    data = strategies.training_data("housing", folds=11)
    ten_rows = data.train.iloc[:10]
    few = dataclasses.replace(data, train=ten_rows)
    message = "10 rows to train on and 60 held out are too few"
    with pytest.raises(PipelineError, match=message):
        few.split()
