"""The figures of fairness, counted in rows."""

from dataclasses import replace

import numpy as np
import pytest

from core.manifest_metrics import GroupRates
from pipeline import tasks
from pipeline.slices import Fairness, Group, NamedSlice
from pipeline.train import fairness
from tests.support import factories

CREDIT = tasks.load("credit")
# Of 40 women, 30 pay back, and the model selects 15 of those.
WOMEN = 40
# Of 40 men, 20 pay back, and the model selects those and 10 others.
MEN = 40
GROUPS = ["female_not_single"] * WOMEN + ["male_single"] * MEN
RISKS_OF_WOMEN = ["good"] * 30 + ["bad"] * 10
RISKS_OF_MEN = ["good"] * 20 + ["bad"] * 20
TABLE = factories.rows(CREDIT, WOMEN + MEN, seed=1).assign(
    personal_status_sex=GROUPS,
    risk=RISKS_OF_WOMEN + RISKS_OF_MEN,
    age=[20, 30, 50, 50] * 20,
)
SELECTED_WOMEN = [1] * 15 + [0] * 25
SELECTED_MEN = [1] * 30 + [0] * 10
SELECTED = np.array(SELECTED_WOMEN + SELECTED_MEN)
PREDICTION = np.column_stack([SELECTED, 1 - SELECTED])


def test_rates_are_shares_of_the_rows_of_a_group() -> None:
    sex, age = fairness.measure(CREDIT, TABLE, PREDICTION)
    assert sex.slice == "sex"
    assert sex.favourable == "good"
    assert sex.groups == {
        "female": GroupRates(
            selection_rate=15 / 40,
            true_positive_rate=15 / 30,
        ),
        "male": GroupRates(
            selection_rate=30 / 40,
            true_positive_rate=20 / 20,
        ),
    }
    assert sex.demographic_parity_difference == pytest.approx(15 / 40)
    assert sex.equal_opportunity_difference == pytest.approx(0.5)
    assert sorted(age.groups) == ["from_26_to_40", "over_40", "up_to_25"]


def test_the_run_has_the_differences() -> None:
    values = fairness.by_name(CREDIT, TABLE, PREDICTION)
    assert sorted(values) == [
        "fairness_age_demographic_parity_difference",
        "fairness_age_equal_opportunity_difference",
        "fairness_sex_demographic_parity_difference",
        "fairness_sex_equal_opportunity_difference",
    ]
    opportunity = values["fairness_sex_equal_opportunity_difference"]
    assert opportunity == pytest.approx(0.5)


def test_rows_of_no_group_do_not_count_as_one() -> None:
    named = NamedSlice(
        by="age",
        groups={
            "younger": Group(below=25),
            "older": Group(at_least=45),
        },
        may_lose=0,
    )
    task = replace(
        CREDIT,
        slices={"age": named},
        fairness=Fairness(favourable="good", slices=("age",)),
    )
    (age,) = fairness.measure(task, TABLE, PREDICTION)
    assert sorted(age.groups) == ["older", "younger"]
