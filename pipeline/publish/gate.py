"""The gate: a challenger replaces the champion only if every check passes.

A tie keeps the champion, and so does a gain that luck on the hold-out may explain.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from core.manifest import Parity
from core.onnx_model import OnnxModel
from history.registry import Check
from pipeline.bundle import Challenger
from pipeline.publish import error_level, gain
from pipeline.publish import reasons as explain
from pipeline.publish import slice_check, winners_luck
from pipeline.schema import Task
from pipeline.train import slice_rows
from pipeline.train.evaluate import encode, higher_is_better, score


class Measured(Protocol):
    """What the checks without a champion need to know of a challenger."""

    @property
    def holdout(self) -> dict[str, float]: ...

    @property
    def parity(self) -> Parity: ...

    @property
    def size(self) -> int: ...

    @property
    def latency_ms(self) -> float: ...


@dataclass(frozen=True)
class Decision:
    """The gate's answer for one task, with every check that led to it.

    Attributes:
        promote: whether the challenger becomes the champion.
        reason: the numbers behind it, in words.
        checks: all checks.
        compared: the SHA-256 of the challenger's ONNX file if it was compared with the
            champion on the hold-out, else empty.
        luck: how much of its gain there is expected to be luck, in units of the metric;
            None if it did not replace a champion by it.
    """

    promote: bool
    reason: str
    checks: list[Check]
    compared: str = ""
    luck: float | None = None

    @property
    def tag(self) -> str:
        """The decision as it is stored in the tag `gate` of a task's parent run."""
        return "promoted" if self.promote else "refused"

    @property
    def verdict(self) -> str:
        """The decision as people read it."""
        return "promoted" if self.promote else "not promoted"


def decide(
    task: Task,
    challenger: Challenger,
    challenger_model: OnnxModel,
    champion_model: OnnxModel | None,
    holdout: pd.DataFrame,
    earlier: int = 0,
) -> Decision:
    """Decide between a challenger and the champion as it is served.

    Args:
        challenger: the evidence of its training.
        champion_model: the ONNX file in service, or None before the first promotion.
        holdout: rows that neither was trained on; the task's features and its target.
        earlier: how many other challengers were compared with this champion before.
    """
    comparison = _without_rows(challenger_model, champion_model, holdout)
    compared = ""
    luck: float | None = None
    on_slices: list[Check] = []
    if comparison is None:
        assert champion_model
        compared = challenger_model.sha256
        rows = _Rows.of(task, challenger_model, champion_model, holdout)
        comparison, luck = rows.comparison(earlier + 1)
        on_slices = rows.slices()
    checks = thresholds(task, challenger)
    checks.append(comparison)
    checks += of_the_file(task, challenger)
    reasons = _details_of_failed(checks)
    checks += on_slices
    if comparison.passed:
        # Of a challenger that is no better, the table of the checks is enough.
        reasons += _details_of_failed(on_slices)
    checks += challenger.behaviours
    reasons += _failed_behaviours(challenger.behaviours)
    if reasons:
        return Decision(False, "; ".join(reasons), checks, compared)
    return Decision(True, comparison.detail, checks, compared, luck)


def _failed_behaviours(tests: list[Check]) -> list[str]:
    failed = [test for test in tests if not test.passed]
    return [explain.behavioural_test(test.name, test.detail) for test in failed]


def _details_of_failed(checks: list[Check]) -> list[str]:
    return [check.detail for check in checks if not check.passed]


def thresholds(task: Task, challenger: Measured) -> list[Check]:
    """Return a check for each metric that the task sets a threshold for."""
    checks = []
    for metric, limit in task.thresholds.items():
        value = challenger.holdout[metric]
        higher = higher_is_better(metric)
        met = value >= limit if higher else value <= limit
        detail = explain.threshold(metric, value, limit, higher)
        check = Check(name=f"threshold {metric}", passed=met, detail=detail)
        checks.append(check)
    return checks


def _without_rows(
    challenger: OnnxModel, champion: OnnxModel | None, holdout: pd.DataFrame
) -> Check | None:
    """Return the check against the champion if it needs no predictions, else None."""
    if champion is None:
        return _comparison(True, explain.NO_CHAMPION)
    if champion.sha256 == challenger.sha256:
        return _comparison(False, explain.SAME_FILE)
    missing = [column for column in champion.columns if column not in holdout.columns]
    if missing:
        # Somebody removed a column from the task: the champion can't serve these data
        # any more.
        return _comparison(True, explain.champion_lacks(missing))
    return None


@dataclass(frozen=True)
class _Rows:
    """What both models predict for the rows held out.

    Attributes:
        holdout: the rows.
        truth: shape (rows,).
        old: the champion's predictions, shape (rows,) or (rows, classes).
        new: the challenger's.
    """

    task: Task
    holdout: pd.DataFrame
    truth: np.ndarray
    old: np.ndarray
    new: np.ndarray

    @classmethod
    def of(
        cls,
        task: Task,
        challenger: OnnxModel,
        champion: OnnxModel,
        holdout: pd.DataFrame,
    ) -> "_Rows":
        """Let both models predict."""
        truth = encode(task, holdout)
        old = champion.predict(holdout)
        new = challenger.predict(holdout)
        return cls(task, holdout, truth, old, new)

    def comparison(self, place: int) -> tuple[Check, float | None]:
        """Check whether the challenger is better than the champion on all rows.

        Returns:
            The check, and how much of its gain is expected to be luck if it passed.
        """
        task = self.task
        metric = task.metric.name
        measured = gain.measure(task, self.truth, self.old, self.new)
        allowed = error_level.level(place)
        better = measured.p_value < allowed
        detail = explain.against_champion(
            metric,
            challenger=score(task, metric, self.truth, self.new),
            champion=score(task, metric, self.truth, self.old),
            difference=measured.difference(task),
            better=better,
            higher_is_better=task.metric.higher_is_better,
            test=explain.significance(measured.p_value, allowed, place),
        )
        luck: float | None = None
        if better:
            value, error = measured.value, measured.error
            luck = winners_luck.expected(value, error, measured.rows, allowed)
        return _comparison(better, detail), luck

    def slices(self) -> list[Check]:
        """Check that it is not worse on any group of the task's slices."""
        groups = slice_rows.select(self.task, self.holdout)
        return slice_check.check(self.task, groups, self.truth, self.old, self.new)


def _comparison(passed: bool, detail: str) -> Check:
    return Check(name="better than champion", passed=passed, detail=detail)


def of_the_file(task: Task, challenger: Measured) -> list[Check]:
    """Return the checks of the ONNX file itself."""
    parity = challenger.parity
    budget = task.budget
    return [
        Check(
            name="onnx parity",
            passed=parity.mismatches == 0,
            detail=explain.parity(parity),
        ),
        Check(
            name="size",
            passed=challenger.size <= budget.size_bytes,
            detail=explain.size(challenger.size, budget.size_bytes),
        ),
        Check(
            name="latency",
            passed=challenger.latency_ms <= budget.latency_ms,
            detail=explain.latency(challenger.latency_ms, budget.latency_ms),
        ),
    ]
