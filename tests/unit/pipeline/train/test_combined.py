"""Algorithms that combine others: which parameters they take, and what they do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from core.errors import PipelineError, UsageError
from pipeline.repo import Repo
from pipeline.schema import Kind
from pipeline.train import estimators, evaluate
from pipeline.train.settings import load
from tests.support import strategies


def settings_of(folder: Path, candidates: dict[str, Any]) -> None:
    """Read a `params.yaml` with some candidates of iris."""
    section = {"folds": 3, "candidates": candidates}
    content = {
        "seed": 1,
        "holdout_share": 0.2,
        "tasks": {"iris": section},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(content))
    load(Repo(folder))


@pytest.mark.parametrize(
    "candidates, sentence",
    [
        ({"stacking": {}}, "stacking.estimators: name two or more algorithms"),
        (
            {"stacking": {"estimators": {"xgboost": {}}}},
            "stacking.estimators: name two or more algorithms",
        ),
        (
            {"calibrated": {"estimator": {"stacking": {}}}},
            "calibrated.estimator: name one algorithm",
        ),
        (
            {"calibrated": {"estimator": {"random_forest": 3}}},
            "calibrated.estimator: name one algorithm",
        ),
        (
            {"calibrated": {"estimator": {"forest": {}}}},
            "calibrated.estimator.forest: unknown algorithm",
        ),
        (
            {"calibrated": {"estimator": {"random_forest": {"depth": 3}}}},
            "calibrated.estimator.random_forest.depth: unknown key; did you mean",
        ),
        ({"stacking": {"fold": 3}}, "stacking.fold: unknown key; did you mean folds?"),
    ],
)
def test_a_combination_that_is_none_is_one_sentence(
    tmp_path: Path, candidates: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(tmp_path, candidates)
    assert f"params.yaml: tasks.iris.candidates.{sentence}" in str(caught.value)


def test_a_valid_combination_is_accepted(tmp_path: Path) -> None:
    linear = {"logistic_regression": {"C": 1.0}}
    stack = {"estimators": linear | {"random_forest": {"max_depth": 3}}, "folds": 3}
    settings_of(tmp_path, {"stacking": stack, "calibrated": {"estimator": linear}})


def test_an_unknown_algorithm_is_one_sentence() -> None:
    with pytest.raises(PipelineError, match="there is no algorithm 'forest'"):
        estimators.build(Kind.REGRESSION, "forest", {}, [], seed=0)


def test_calibration_makes_the_probabilities_of_overconfident_trees_better() -> None:
    data = strategies.training_data("credit", rows=900)
    trees = {"random_forest": {"n_estimators": 3}}
    losses = []
    for algorithm, parameters in (
        ("random_forest", trees["random_forest"]),
        ("calibrated", {"estimator": trees, "folds": 3}),
    ):
        pipeline = estimators.build(
            data.task.kind, algorithm, parameters, data.features, data.seed
        )
        inputs = estimators.as_inputs(data.features, data.train)
        pipeline.fit(inputs, evaluate.encode(data.task, data.train))
        held_out = estimators.as_inputs(data.features, data.holdout)
        predicted = np.asarray(pipeline.predict_proba(held_out))
        losses.append(evaluate.score(data.task, "log_loss", data.truth, predicted))
    alone, calibrated = losses
    assert calibrated < alone / 2
