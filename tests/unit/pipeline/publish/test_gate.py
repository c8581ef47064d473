"""The gate's decisions between real ONNX models, on rows that neither was fitted on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline import tasks
from pipeline.bundle import Challenger, Parity
from pipeline.publish import reasons
from pipeline.publish.gate import Decision, decide, gain_interval
from pipeline.schema import Layout, Task
from tests.support import factories
from tests.support.service import TASKS


@dataclass
class Arena:
    """A task with a model of few rows, a better one of many rows, and hold-out rows."""

    task: Task
    holdout: pd.DataFrame
    poor: OnnxModel
    good: OnnxModel
    poor_fit: Any
    good_fit: Any

    def evidence(self, name: str, **update: Any) -> Challenger:
        model = getattr(self, name)
        fit = getattr(self, f"{name}_fit")
        return factories.challenger(self.task, model, self.holdout, fit, **update)

    def decide(self, name: str, champion: str | None, **update: Any) -> Decision:
        """Let the gate decide between two of the models, by their names."""
        model = getattr(self, name)
        served = getattr(self, champion) if champion else None
        evidence = self.evidence(name, **update)
        return decide(self.task, evidence, model, served, self.holdout)


@pytest.fixture(scope="module", params=TASKS)
def arena(request: pytest.FixtureRequest) -> Arena:
    # The thresholds of the tasks are for their real data, and not for generated rows.
    task = replace(tasks.load(request.param), thresholds={})
    poor_fit, poor = factories.fitted(task, factories.rows(task, 40, seed=1))
    good_fit, good = factories.fitted(task, factories.rows(task, 2000, seed=2))
    holdout = factories.rows(task, 600, seed=3)
    return Arena(task, holdout, OnnxModel(poor), OnnxModel(good), poor_fit, good_fit)


def failed(decision: Decision) -> list[str]:
    return [check.name for check in decision.checks if not check.passed]


def test_the_first_challenger_is_promoted(arena: Arena) -> None:
    decision = arena.decide("poor", None)
    assert decision.promote
    assert decision.reason == "there was no champion to compare it with"


def test_a_better_challenger_is_promoted_with_the_numbers(arena: Arena) -> None:
    decision = arena.decide("good", "poor")
    relation = "above" if arena.task.metric.higher_is_better else "below"
    assert decision.promote
    assert f" is {relation} the champion's " in decision.reason
    assert "(95 % interval of the difference " in decision.reason


def test_the_reason_says_on_which_side_of_the_champion_a_worse_challenger_is(
    arena: Arena,
) -> None:
    decision = arena.decide("poor", "good")
    relation = "below" if arena.task.metric.higher_is_better else "above"
    assert not decision.promote
    assert failed(decision) == ["better than champion"]
    assert f" is {relation} the champion's " in decision.reason
    assert "better than champion" not in decision.reason


def test_a_tie_keeps_the_champion(arena: Arena) -> None:
    decision = arena.decide("good", "good")
    assert not decision.promote
    assert decision.reason == reasons.SAME_FILE


def test_a_gain_that_may_be_chance_is_refused(arena: Arena) -> None:
    rows = factories.rows(arena.task, 2000, seed=4)
    _, content = factories.fitted(arena.task, rows)
    rival = OnnxModel(content)
    evidence = arena.evidence("good")
    decision = decide(arena.task, evidence, arena.good, rival, arena.holdout)
    reverse = decide(arena.task, evidence, rival, arena.good, arena.holdout)
    assert not (decision.promote and reverse.promote)


@pytest.mark.parametrize(
    ("update", "check", "reason"),
    [
        (
            {"size": 10**9},
            "size",
            "the ONNX file has 1,000,000,000 bytes, which is over the budget of ",
        ),
        (
            {"latency_ms": 1e6},
            "latency",
            "one prediction takes 1e+06 ms, which is over the budget of ",
        ),
        (
            {"behaviours": [Check(name="claim", passed=False, detail="3 rows differ")]},
            "claim",
            'the behavioural test "claim" failed (3 rows differ)',
        ),
    ],
)
def test_one_failed_check_is_enough_and_the_reason_says_that_it_failed(
    arena: Arena, update: dict[str, Any], check: str, reason: str
) -> None:
    decision = arena.decide("good", "poor", **update)
    assert not decision.promote
    assert failed(decision) == [check]
    assert decision.reason.startswith(reason)


def test_a_model_whose_onnx_differs_is_refused_with_rows_and_difference(
    arena: Arena,
) -> None:
    parity = Parity(rows=600, mismatches=7, largest_difference=0.25, tolerance=1e-4)
    decision = arena.decide("good", "poor", parity=parity)
    assert not decision.promote
    assert "7 of 600 hold-out rows" in decision.reason
    assert "0.25" in decision.reason


def test_thresholds_are_absolute(arena: Arena) -> None:
    metric = arena.task.metric
    out_of_reach = 2.0 if metric.higher_is_better else 0.0
    strict = replace(arena.task, thresholds={metric.name: out_of_reach})
    evidence = arena.evidence("good")
    decision = decide(strict, evidence, arena.good, arena.poor, arena.holdout)
    assert not decision.promote
    assert failed(decision) == [f"threshold {metric.name}"]
    relation = "is above the allowed maximum of 0"
    if metric.higher_is_better:
        relation = "is below the required minimum of 2"
    assert decision.reason.endswith(relation)


def test_a_champion_that_needs_a_removed_column_is_replaced(arena: Arena) -> None:
    column = arena.task.features[0].name
    fewer = arena.holdout.drop(columns=column)
    features = tuple(
        feature for feature in arena.task.features if feature.name != column
    )
    # Without its sources, whose layout names the column.
    task = replace(arena.task, features=features, table=Layout(), sources=())
    fit, content = factories.fitted(task, factories.rows(task, 500))
    model = OnnxModel(content)
    evidence = factories.challenger(task, model, fewer, fit)
    decision = decide(task, evidence, model, arena.good, fewer)
    assert decision.promote
    assert decision.reason == (
        f"the champion needs columns that the data no longer has ({column})"
    )


def test_the_interval_of_the_gain_is_paired() -> None:
    task = tasks.load("housing")
    generator = np.random.default_rng(0)
    truth = generator.normal(2, 1, 500)
    old = truth + generator.normal(0, 1, 500)
    low, high = gain_interval(task, truth, old, truth + (old - truth) * 0.98)
    # 2 % less error on the same rows is significant, although it is far less than the
    # spread of either.
    assert 0.015 < low < high < 0.025
