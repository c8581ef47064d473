"""The gate: a challenger replaces the champion only if every check holds; a tie keeps the champion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from pipeline.bundle import Challenger
from pipeline.errors import PipelineError
from pipeline.history.registry import Check
from pipeline.schema import Task
from pipeline.training.evaluate import METRICS, encode, higher_is_better, score
from pipeline.training.predict import OnnxModel

RESAMPLES = 1000
CONFIDENCE = 0.95
SEED = 42


@dataclass(frozen=True)
class Decision:
    """The gate's answer for one task, with every check that led to it."""

    promote: bool
    reason: str
    checks: list[Check]


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
    checks = [
        *_thresholds(task, challenger),
        _better(task, challenger_model, champion_model, holdout),
        _parity(challenger),
        *challenger.behaviours,
        _size(task, challenger),
        _latency(task, challenger),
    ]
    failed = [check for check in checks if not check.passed]
    if failed:
        return Decision(
            False, "; ".join(f"{check.name}: {check.detail}" for check in failed), checks
        )
    return Decision(
        True, next(c.detail for c in checks if c.name == "better than champion"), checks
    )


def _thresholds(task: Task, challenger: Challenger) -> list[Check]:
    checks = []
    for metric, threshold in task.thresholds.items():
        value = challenger.holdout[metric]
        higher = higher_is_better(metric)
        met = math.isfinite(value) and (value >= threshold if higher else value <= threshold)
        relation = "at least" if higher else "at most"
        detail = f"{metric} {value:.4g}, required {relation} {threshold:g}"
        checks.append(Check(name=f"threshold {metric}", passed=met, detail=detail))
    return checks


def _better(
    task: Task, challenger: OnnxModel, champion: OnnxModel | None, holdout: pd.DataFrame
) -> Check:
    name, metric = "better than champion", task.metric.name
    if champion is None:
        return Check(name=name, passed=True, detail="there is no champion yet")
    if champion.sha256 == challenger.sha256:
        return Check(name=name, passed=False, detail="it is the champion's very file, a tie")
    missing = [column for column in champion.columns if column not in holdout.columns]
    if missing:
        detail = (
            f"the champion needs {', '.join(missing)}, which the data no longer has, so the two "
            "cannot be compared: `pipeline promote` decides by hand"
        )
        return Check(name=name, passed=False, detail=detail)
    truth = holdout[task.target.name].to_numpy()
    old, new = champion.predict(holdout), challenger.predict(holdout)
    low, high = gain_interval(task, truth, old, new)
    before, after = score(task, metric, truth, old), score(task, metric, truth, new)
    detail = (
        f"{metric} {after:.4g} against the champion's {before:.4g}; "
        f"95 % interval of the gain [{low:.4g}, {high:.4g}]"
    )
    return Check(name=name, passed=low > 0, detail=detail)


def gain_interval(
    task: Task, truth: np.ndarray, old: np.ndarray, new: np.ndarray
) -> tuple[float, float]:
    """Return the 95 % interval of the new model's gain over the old, in units of the task's metric.

    A paired bootstrap: each resample draws rows, and both models are scored on the same rows.

    Args:
        truth: shape (rows,).
        old, new: predictions, shape (rows,) or (rows, classes).
    """
    sign = 1.0 if task.metric.higher_is_better else -1.0

    metric, numbers = METRICS[task.kind][task.metric.name], encode(task, truth)

    def gain(rows: np.ndarray) -> float:
        return sign * (metric(numbers[rows], new[rows]) - metric(numbers[rows], old[rows]))

    result = bootstrap(
        (np.arange(len(truth)),),
        gain,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        vectorized=False,
        rng=np.random.default_rng(SEED),
    )
    low, high = float(result.confidence_interval.low), float(result.confidence_interval.high)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise PipelineError(
            f"{task.name}: the gain in {task.metric.name} is not a number on the hold-out's "
            f"{len(truth)} rows; check that every class is in it."
        )
    return low, high


def _parity(challenger: Challenger) -> Check:
    parity = challenger.parity
    detail = (
        f"{parity.mismatches} of {parity.rows} hold-out rows differ between the ONNX file and the "
        f"estimator by more than {parity.tolerance:g}; largest difference "
        f"{parity.largest_difference:.3g}"
    )
    return Check(name="onnx parity", passed=parity.mismatches == 0, detail=detail)


def _size(task: Task, challenger: Challenger) -> Check:
    limit = task.budget.size_bytes
    detail = f"{challenger.size:,} bytes, budget {limit:,}"
    return Check(name="size", passed=challenger.size <= limit, detail=detail)


def _latency(task: Task, challenger: Challenger) -> Check:
    limit = task.budget.latency_ms
    passed = challenger.latency_ms <= limit
    detail = f"{'within' if passed else f'{challenger.latency_ms:.3g} ms, over'} {limit:g} ms a row"
    return Check(name="latency", passed=passed, detail=detail)


def summary(checks: Sequence[Check]) -> str:
    """Say how many checks passed, for one line of a table."""
    return f"{sum(check.passed for check in checks)}/{len(checks)} checks"
