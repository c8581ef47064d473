"""Claims are tried on rows of the features' examples; a model that says nothing passes
none.
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
    """A stand-in that anyone can read: a house's value is a tenth of the income plus an
    offset.
    """

    columns = tuple(feature.name for feature in tasks.load("housing").features)

    def __init__(self, slope: float) -> None:
        self.slope = slope

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return np.asarray(self.slope * frame.MedInc.to_numpy(dtype=float) + 1)


def _check(slope: float, **claim: object) -> bool:
    behaviour = BehaviouralTest(**claim)  # type: ignore[arg-type]
    task = dataclasses.replace(tasks.load("housing"), behaviours={"a claim": behaviour})
    (answer,) = behavioural_tests.run(task, Linear(slope))  # type: ignore[arg-type]
    assert answer.name == "a claim" and "rows agree" in answer.detail
    return answer.passed


@pytest.mark.parametrize("name", tasks.names())
def test_probes_are_valid_rows_and_vary_every_feature(name: str) -> None:
    task = tasks.load(name)
    probes = behavioural_tests.probes(task)
    target = task.target.classes[0] if task.target.classes else 1.0
    validate(task, probes.assign(**{task.target.name: target}), "probes")
    assert (probes.nunique() > 1).all()


def test_directions() -> None:
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
    assert _check(0.1, expect="within", given={"MedInc": 5}, within=(1.4, 1.6))
    assert not _check(0.1, expect="within", given={"MedInc": 9}, within=(1.4, 1.6))


def test_a_claim_about_a_feature_left_out_is_not_asked() -> None:
    task = tasks.load("housing")
    model = Linear(1)
    model.columns = ("MedInc",)
    checks = behavioural_tests.run(task, model)  # type: ignore[arg-type]
    assert [check.name for check in checks] == [
        "Houses are worth more where people earn 20,000 US$ more"
    ]
