"""One candidate's failure is its own; the best of the others is the challenger."""

import dataclasses

import pytest

from core.errors import PipelineError
from pipeline.train.candidates import Candidate, Failure, best, fit_all
from pipeline.train.training_data import TrainingData
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
    assert "n_estimators" in failed.reason and "\n" not in failed.reason
    assert isinstance(results[0], Candidate) and isinstance(results[3], Candidate)


def test_a_metric_that_is_no_number_is_a_failure(
    results: list[Candidate | Failure],
) -> None:
    failed = results[2]
    assert isinstance(failed, Failure) and "not a number" in failed.reason


def test_the_best_in_cross_validation_wins(results: list[Candidate | Failure]) -> None:
    task = strategies.training_data("housing").task
    winner = best(task, results)
    assert winner and winner.algorithm == "linear_regression"
    assert winner.cross_validation["rmse_mean"] == pytest.approx(sum(winner.folds) / 3)
    assert len(winner.folds) == 3 and winner.parity.mismatches == 0
    assert winner.importance.shape == (8, 2)
    assert best(task, results[1:3]) is None


def test_all_cores_or_one_give_the_same(results: list[Candidate | Failure]) -> None:
    import joblib

    with joblib.parallel_config(n_jobs=1, backend="sequential"):
        again = list(
            fit_all(strategies.training_data("housing"), {"linear_regression": {}})
        )[0]
    first = results[3]
    assert isinstance(first, Candidate) and isinstance(again, Candidate)
    assert (again.onnx, again.folds, again.holdout) == (
        first.onnx,
        first.folds,
        first.holdout,
    )


def _without(data: TrainingData, part: str) -> TrainingData:
    table = getattr(data, part)
    return dataclasses.replace(data, **{part: table[table.species != "setosa"]})


def test_too_few_rows_of_a_class_are_refused() -> None:
    data = strategies.training_data("iris")
    assert len(data.split()) == 3
    for bad in (_without(data, "train"), _without(data, "holdout")):
        with pytest.raises(
            PipelineError, match="iris: .* too few for 3 folds and a hold-out with"
        ):
            bad.split()
    with pytest.raises(
        PipelineError, match="10 rows to train on and 60 held out are too few"
    ):
        few = strategies.training_data("housing", folds=11)
        dataclasses.replace(few, train=few.train.iloc[:10]).split()
