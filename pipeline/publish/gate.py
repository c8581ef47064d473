"""The gate: a challenger replaces the champion only if every check holds; a tie keeps
it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from history.registry import Check
from pipeline.bundle import Challenger
from pipeline.schema import Task
from pipeline.train.evaluate import encode, higher_is_better, interval, score, scorer
from pipeline.train.predict import OnnxModel

SEED = 42


@dataclass(frozen=True)
class Decision:
    """The gate's answer for one task, with every check that led to it."""

    promote: bool
    reason: str
    checks: list[Check]

    @property
    def word(self) -> str:
        """The decision in a word."""
        return "promoted" if self.promote else "refused"


def judge(
    task: Task,
    challenger: Challenger,
    challenger_model: OnnxModel,
    champion_model: OnnxModel | None,
    holdout: pd.DataFrame,
) -> Decision:
    """Decide between a challenger and the champion as it is served.

    Args:
        challenger: the evidence of its training.
        champion_model: the ONNX file in service, or None before the first promotion.
        holdout: rows that neither was trained on; the task's features and its target.
    """
    improved, told = _better(task, challenger_model, champion_model, holdout)
    checks = [
        *_thresholds(task, challenger),
        Check(name="better than champion", passed=improved, detail=told),
        *_evidence(task, challenger),
        *challenger.behaviours,
    ]
    failed = [f"{check.name}: {check.detail}" for check in checks if not check.passed]
    return Decision(not failed, "; ".join(failed) or told, checks)


def _thresholds(task: Task, challenger: Challenger) -> list[Check]:
    checks = []
    for metric, threshold in task.thresholds.items():
        value, higher = challenger.holdout[metric], higher_is_better(metric)
        met = value >= threshold if higher else value <= threshold
        detail = (
            f"{value:.4g}, required at {'least' if higher else 'most'} {threshold:g}"
        )
        checks.append(Check(name=f"threshold {metric}", passed=met, detail=detail))
    return checks


def _better(
    task: Task, challenger: OnnxModel, champion: OnnxModel | None, holdout: pd.DataFrame
) -> tuple[bool, str]:
    """Tell whether the challenger is better on the same rows, and the numbers."""
    if champion is None:
        return True, "there is no champion yet"
    if champion.sha256 == challenger.sha256:
        return False, "it is the champion's very file, a tie"
    if missing := [
        column for column in champion.columns if column not in holdout.columns
    ]:
        # Somebody took a column out of the task: the champion cannot serve this data
        # any more.
        return (
            True,
            f"the champion needs {', '.join(missing)}, which the data no longer has",
        )
    metric, truth = task.metric.name, encode(task, holdout)
    old, new = champion.predict(holdout), challenger.predict(holdout)
    before, after = score(task, metric, truth, old), score(task, metric, truth, new)
    low, high = gain_interval(task, truth, old, new)
    return (
        low > 0,
        (
            f"{metric} {after:.4g} against the champion's {before:.4g}; "
            f"95 % interval of the gain {low:.4g} to {high:.4g}"
        ),
    )


def gain_interval(
    task: Task, truth: np.ndarray, old: np.ndarray, new: np.ndarray
) -> tuple[float, float]:
    """Return the 95 % interval of the new model's gain over the old, in units of the
    task's metric.

    A paired bootstrap: each resample draws rows, and both models are scored on the same
    rows.

    Args:
        truth: shape (rows,).
        old, new: predictions, shape (rows,) or (rows, classes).
    """
    sign = 1 if task.metric.higher_is_better else -1
    before, after = (scorer(task, task.metric.name, truth, said) for said in (old, new))
    return interval(lambda rows: sign * (after(rows) - before(rows)), len(truth), SEED)


def _evidence(task: Task, challenger: Challenger) -> list[Check]:
    """Return the checks of the ONNX file itself."""
    parity, budget = challenger.parity, task.budget
    differ = (
        f"{parity.mismatches} of {parity.rows} hold-out rows differ from the estimator"
        f" by more than {parity.tolerance:g}, the largest difference is"
        f" {parity.largest_difference:.3g}"
    )
    size = f"{challenger.size:,} bytes, budget {budget.size_bytes:,}"
    fast = challenger.latency_ms <= budget.latency_ms
    # What was measured is named only where it matters: it is another number every time.
    measured = "within" if fast else f"{challenger.latency_ms:.3g} ms, over"
    latency = f"{measured} {budget.latency_ms:g} ms a row"
    return [
        Check(name="onnx parity", passed=parity.mismatches == 0, detail=differ),
        Check(name="size", passed=challenger.size <= budget.size_bytes, detail=size),
        Check(name="latency", passed=fast, detail=latency),
    ]
