"""Challengers that are better on the whole, and worse on a group of rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline import tasks
from pipeline.publish import slice_check
from pipeline.publish.gate import Decision, decide
from pipeline.schema import Task
from pipeline.slices import Group, NamedSlice
from pipeline.train import evaluate, slice_rows
from tests.support import factories

BY_AGE = NamedSlice(
    by="HouseAge",
    groups={
        "young": Group(below=30),
        "old": Group(at_least=30),
    },
    may_lose=0.01,
)
OF_NOBODY = NamedSlice(
    by="HouseAge",
    groups={"oldest": Group(at_least=60)},
    may_lose=0,
)
HOUSING = replace(
    tasks.load("housing"),
    thresholds={},
    slices={"age": BY_AGE},
)
ROWS = factories.rows(HOUSING, 600, seed=3)
TRUTH = evaluate.encode(HOUSING, ROWS)
IS_YOUNG = ROWS["HouseAge"].to_numpy() < 30
YOUNG = "slice age: young"
OLD = "slice age: old"


def shifted_rows(young: float, old: float) -> pd.DataFrame:
    """Return rows to learn from, with shifted values of young and of old houses."""
    table = factories.rows(
        HOUSING,
        2000,
        seed=4,
        noise=0.05,
    )
    is_young = table["HouseAge"] < 30
    shift = np.where(is_young, young, old)
    value = table["MedHouseVal"] + shift
    return table.assign(MedHouseVal=value)


# The champion is far off for old houses, the challenger a little for young ones.
CHAMPION = shifted_rows(young=0.0, old=3.0)
CHALLENGER = shifted_rows(young=1.0, old=0.0)


def decided(task: Task) -> Decision:
    """Let the gate decide between challenger and champion."""
    estimator, content = factories.fitted(task, CHALLENGER)
    _, served = factories.fitted(task, CHAMPION)
    challenger = OnnxModel(content)
    champion = OnnxModel(served)
    evidence = factories.challenger(task, challenger, ROWS, estimator)
    return decide(task, evidence, challenger, champion, ROWS)


def checks(champion: np.ndarray, challenger: np.ndarray) -> dict[str, Check]:
    """Return the checks of predictions by their names."""
    groups = slice_rows.select(HOUSING, ROWS)
    of_groups = slice_check.check(
        HOUSING,
        groups,
        TRUTH,
        champion,
        challenger,
    )
    return {check.name: check for check in of_groups}


def test_a_challenger_that_is_worse_on_a_group_is_refused_with_the_numbers() -> None:
    decision = decided(HOUSING)
    assert not decision.promote
    failed = []
    for check in decision.checks:
        if not check.passed:
            failed.append(check)
    (young,) = failed
    assert young.name == YOUNG
    assert decision.reason == young.detail
    count = IS_YOUNG.sum()
    assert young.detail.startswith(f"RMSE on the {count} rows of age: young is ")
    assert ", above the champion's " in young.detail
    assert ", by more than the allowed 0.01 (p-value " in young.detail
    assert young.detail.endswith(" is below 0.025)")


def test_without_slices_the_same_challenger_is_promoted() -> None:
    task = replace(HOUSING, slices={})
    decision = decided(task)
    assert decision.promote
    names = [check.name for check in decision.checks]
    assert not any(name.startswith("slice") for name in names)


def test_the_same_files_give_the_same_decision() -> None:
    assert decided(HOUSING) == decided(HOUSING)


def test_too_few_rows_in_a_bundle_are_not_compared() -> None:
    task = replace(HOUSING, slices={"age": OF_NOBODY})
    decision = decided(task)
    assert decision.promote
    details = {}
    for check in decision.checks:
        details[check.name] = check.detail
    assert details["slice age: oldest"] == (
        "not compared: slices.age.groups.oldest has 0 of the 600 rows held out, but 20"
        " are needed"
    )


def test_a_loss_within_the_bound_passes() -> None:
    champion = TRUTH + 0.5
    change = np.where(IS_YOUNG, 0.009, -0.1)
    of_groups = checks(champion, champion + change)
    young = of_groups[YOUNG]
    assert young.passed
    assert young.detail.endswith(
        "0.509, above the champion's 0.5, by no more than the allowed 0.01"
    )


def test_a_loss_that_may_be_chance_passes() -> None:
    generator = np.random.default_rng(0)
    count = len(TRUTH)
    one = TRUTH + generator.normal(0, 1, count)
    other = TRUTH + generator.normal(0, 1, count)
    forth = checks(one, other).values()
    back = checks(other, one).values()
    by_chance = []
    for check in [*forth, *back]:
        assert check.passed
        if check.detail.endswith(" is not below 0.025)"):
            by_chance.append(check)
    assert by_chance


@given(st.floats(0.011, 2), st.booleans())
@settings(max_examples=8, deadline=None)
def test_only_the_group_that_lost_fails(loss: float, is_young: bool) -> None:
    champion = TRUTH + 0.1
    lost = IS_YOUNG if is_young else ~IS_YOUNG
    change = np.where(lost, loss, -0.05)
    of_groups = checks(champion, champion + change)
    assert of_groups[YOUNG].passed is not is_young
    assert of_groups[OLD].passed is is_young


def test_groups_share_the_probability_of_a_false_refusal() -> None:
    task = tasks.load("credit")
    rows = factories.rows(task, 400, seed=1)
    truth = evaluate.encode(task, rows)
    perfect = np.eye(2)[truth]
    generator = np.random.default_rng(0)
    bad = generator.random(len(truth))
    random = np.column_stack([1 - bad, bad])
    groups = slice_rows.select(task, rows)
    of_groups = slice_check.check(
        task,
        groups,
        truth,
        perfect,
        random,
    )
    assert len(of_groups) == 5
    for check in of_groups:
        assert not check.passed
        assert check.detail.startswith("ROC AUC on the ")
        assert check.detail.endswith(" is below 0.01)")
