"""The gate's decisions between real ONNX models, on rows that neither was fitted on."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pytest

from core.manifest import Parity
from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline import tasks
from pipeline.bundle import Challenger
from pipeline.data.layout import Layout
from pipeline.publish import reasons
from pipeline.publish.gate import Decision, decide
from pipeline.schema import Task
from tests.support import factories
from tests.support.service import TASKS


@dataclass
class Fit:
    """A fitted estimator and its ONNX model."""

    estimator: Any
    model: OnnxModel

    @classmethod
    def of(cls, task: Task, rows: pd.DataFrame) -> "Fit":
        estimator, content = factories.fitted(task, rows)
        return cls(estimator, OnnxModel(content))


@dataclass
class Arena:
    """A task with a model of few rows, a better one of many rows, and hold-out rows."""

    task: Task
    holdout: pd.DataFrame
    poor: Fit
    good: Fit

    def evidence(self, fit: Fit, **update: Any) -> Challenger:
        return factories.challenger(
            self.task, fit.model, self.holdout, fit.estimator, **update
        )

    def decide(self, fit: Fit, champion: Fit | None, **update: Any) -> Decision:
        """Let the gate decide whether a model replaces the champion."""
        evidence = self.evidence(fit, **update)
        served = champion.model if champion else None
        return decide(self.task, evidence, fit.model, served, self.holdout)


@pytest.fixture(scope="module", params=TASKS)
def arena(request: pytest.FixtureRequest) -> Arena:
    # The thresholds of the tasks are for their real data, and not for generated rows.
    task = replace(tasks.load(request.param), thresholds={})
    few = factories.rows(task, 40, seed=1)
    many = factories.rows(task, 2000, seed=2)
    return Arena(
        task=task,
        holdout=factories.rows(task, 600, seed=3),
        poor=Fit.of(task, few),
        good=Fit.of(task, many),
    )


def failed(decision: Decision) -> list[str]:
    return [check.name for check in decision.checks if not check.passed]


def test_the_first_challenger_is_promoted(arena: Arena) -> None:
    decision = arena.decide(arena.poor, None)
    assert decision.promote
    assert decision.reason == "there was no champion to compare it with"


def test_a_better_challenger_is_promoted_with_the_numbers(arena: Arena) -> None:
    decision = arena.decide(arena.good, arena.poor)
    relation = "above" if arena.task.metric.higher_is_better else "below"
    assert decision.promote
    assert f" is {relation} the champion's " in decision.reason
    assert "(95 % interval of the difference " in decision.reason


def test_the_reason_says_on_which_side_of_the_champion_a_worse_challenger_is(
    arena: Arena,
) -> None:
    decision = arena.decide(arena.poor, arena.good)
    relation = "below" if arena.task.metric.higher_is_better else "above"
    assert not decision.promote
    overall, *on_slices = failed(decision)
    assert overall == "better than champion"
    assert all(name.startswith("slice ") for name in on_slices)
    # One sentence is enough for a challenger that is worse on the whole.
    assert decision.reason.count("the champion's") == 1
    assert f" is {relation} the champion's " in decision.reason
    assert "better than champion" not in decision.reason


def test_a_tie_keeps_the_champion(arena: Arena) -> None:
    decision = arena.decide(arena.good, arena.good)
    assert not decision.promote
    assert decision.reason == reasons.SAME_FILE


def test_a_gain_that_may_be_chance_is_refused(arena: Arena) -> None:
    rows = factories.rows(arena.task, 2000, seed=4)
    rival = Fit.of(arena.task, rows)
    decision = arena.decide(arena.good, rival)
    reverse = arena.decide(rival, arena.good)
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
            {
                "behaviours": [
                    Check(name="behaviour", passed=False, detail="3 rows differ")
                ]
            },
            "behaviour",
            'the behavioural test "behaviour" failed (3 rows differ)',
        ),
    ],
)
def test_one_failed_check_is_enough_and_the_reason_says_that_it_failed(
    arena: Arena, update: dict[str, Any], check: str, reason: str
) -> None:
    decision = arena.decide(arena.good, arena.poor, **update)
    assert not decision.promote
    assert failed(decision) == [check]
    assert decision.reason.startswith(reason)


def test_a_model_whose_onnx_differs_is_refused_with_rows_and_difference(
    arena: Arena,
) -> None:
    parity = Parity(rows=600, mismatches=7, largest_difference=0.25, tolerance=1e-4)
    decision = arena.decide(arena.good, arena.poor, parity=parity)
    assert not decision.promote
    assert "7 of 600 hold-out rows" in decision.reason
    assert "0.25" in decision.reason


def test_thresholds_are_absolute(arena: Arena) -> None:
    metric = arena.task.metric
    out_of_reach = 2.0 if metric.higher_is_better else 0.0
    strict = replace(arena.task, thresholds={metric.name: out_of_reach})
    evidence = arena.evidence(arena.good)
    challenger = arena.good.model
    champion = arena.poor.model
    decision = decide(strict, evidence, challenger, champion, arena.holdout)
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
    fit = Fit.of(task, factories.rows(task, 500))
    evidence = factories.challenger(task, fit.model, fewer, fit.estimator)
    decision = decide(task, evidence, fit.model, arena.good.model, fewer)
    assert decision.promote
    assert decision.reason == (
        f"the champion needs columns that the data no longer has ({column})"
    )


def test_the_more_challengers_a_champion_has_met_the_less_luck_is_believed(
    arena: Arena,
) -> None:
    evidence = arena.evidence(arena.good)
    models = (arena.good.model, arena.poor.model)
    first = decide(arena.task, evidence, *models, arena.holdout)
    assert first.promote
    assert ", the level for challenger 1 of this champion)" in first.reason
    late = decide(arena.task, evidence, *models, arena.holdout, earlier=10**80)
    assert not late.promote
    assert failed(late) == ["better than champion"]
    assert " is not significantly " in late.reason
    assert first.compared == late.compared == arena.good.model.sha256


def test_only_a_comparison_on_the_hold_out_counts(arena: Arena) -> None:
    assert arena.decide(arena.good, None).compared == ""
    assert arena.decide(arena.good, arena.good).compared == ""
