"""Behavioural tests run on rows of the features' examples; a constant model passes
none that expects a direction.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from pipeline import tasks
from pipeline.data.validate import validate
from pipeline.schema import BehaviouralTest
from pipeline.train import behavioural_tests


class Linear:
    """A model that is easy to follow: the value is the income times a slope, plus 1."""

    columns = tuple(feature.name for feature in tasks.load("housing").features)

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        income = frame.MedInc.to_numpy(dtype=float)
        return np.asarray(self.slope * income + 1)


def _check(slope: float, **fields: object) -> bool:
    """Run a behavioural test with these fields on a linear model."""
    test = BehaviouralTest(**fields)  # type: ignore[arg-type]
    housing = tasks.load("housing")
    task = dataclasses.replace(housing, behaviours={"a test": test})
    (check,) = behavioural_tests.run(task, Linear(slope))  # type: ignore[arg-type]
    assert check.name == "a test"
    assert "rows agree" in check.detail
    return check.passed


@pytest.mark.parametrize("name", tasks.names())
def test_probes_are_valid_rows_and_vary_every_feature(name: str) -> None:
    task = tasks.load(name)
    probes = behavioural_tests.probes(task)
    target = task.target
    value = target.classes[0] if target.classes else 1.0
    complete = probes.assign(**{target.name: value})
    validate(task, complete, "probes")
    distinct = probes.nunique()
    assert (distinct > 1).all()


def test_a_score_must_move_in_the_expected_direction() -> None:
    more = {"MedInc": 1}
    assert _check(0.1, expect="higher", add=more, tolerance=0.05)
    assert not _check(0.1, expect="higher", add=more, tolerance=0.2)
    assert not _check(0.1, expect="lower", add=more)
    assert _check(-0.1, expect="lower", add=more)


def test_a_model_that_never_moves_has_no_direction_but_is_invariant() -> None:
    more = {"MedInc": 1}
    assert not _check(0, expect="higher", add=more)
    assert not _check(0, expect="lower", add=more)
    assert _check(0, expect="same", add=more)
    assert not _check(0.1, expect="same", add=more, tolerance=0.05)


def test_minimum_ability() -> None:
    span = (1.4, 1.6)
    medium = {"MedInc": 5}
    high = {"MedInc": 9}
    assert _check(0.1, expect="within", given=medium, within=span)
    assert not _check(0.1, expect="within", given=high, within=span)


def test_a_test_of_an_excluded_feature_is_left_out() -> None:
    task = tasks.load("housing")
    model = Linear(1)
    model.columns = ("MedInc",)
    checks = behavioural_tests.run(task, model)  # type: ignore[arg-type]
    names = [check.name for check in checks]
    assert names == ["Houses are worth more where people earn 20,000 US$ more"]
