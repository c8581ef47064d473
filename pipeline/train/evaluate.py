"""Metrics of predictions; needs numpy and pandas, but neither MLflow nor ONNX."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from core.errors import PipelineError
from core.evaluation_metrics import CLASSIFICATION, REGRESSION
from pipeline.schema import Kind, Task

RESAMPLES = 1000
_LOWER_IS_BETTER = ("rmse", "mae", "log_loss", "brier")
METRICS = {
    Kind.REGRESSION: REGRESSION,
    Kind.CLASSIFICATION: CLASSIFICATION,
}
# From row numbers to a number.
Statistic = Callable[[np.ndarray], float]


def higher_is_better(metric: str) -> bool:
    """Return whether more of a metric is better."""
    return metric not in _LOWER_IS_BETTER


def encode(task: Task, table: pd.DataFrame) -> np.ndarray:
    """Return a table's ground truth, shape (rows,): values, or the classes' numbers."""
    target = task.target
    truth = table[target.name]
    if task.kind is Kind.REGRESSION:
        return truth.to_numpy(dtype=float)
    numbers = truth.map(target.classes.index)
    return numbers.to_numpy(dtype=int)


def scorer(
    task: Task,
    metric: str,
    truth: np.ndarray,
    prediction: np.ndarray,
) -> Statistic:
    """Return a function from row numbers to the metric on those rows.

    It returns NaN where the metric has no value, such as the ROC AUC of one class.

    Args:
        task: the task.
        metric: the name of the metric.
        truth: shape (rows,), as `encode` gives it.
        prediction: shape (rows,) of a regression, (rows, classes) of probabilities
            else.

    Raises:
        PipelineError: a prediction is not a number.
    """
    values = np.asarray(prediction, dtype=float)
    if not np.isfinite(values).all():
        raise PipelineError(
            f"{task.name}: the metric {metric} is not a number, as not every"
            " prediction is one."
        )
    if task.kind is Kind.CLASSIFICATION:
        # Probabilities of float32 do not add up to 1 exactly.
        sums = values.sum(axis=1, keepdims=True)
        values = values / sums
    functions = METRICS[task.kind]
    function = functions[metric]

    def score_rows(rows: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            value = function(truth[rows], values[rows])
        return float(value)

    return score_rows


def score(task: Task, metric: str, truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return one metric; see `scorer`.

    Raises:
        PipelineError: it is not a number for these predictions.
    """
    all_rows = np.arange(len(truth))
    score_rows = scorer(task, metric, truth, prediction)
    value = score_rows(all_rows)
    if not np.isfinite(value):
        raise PipelineError(f"{task.name}: the metric {metric} is not a number.")
    return value


def metrics(task: Task, truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Return all metrics of the task's kind by name; see `score`."""
    values = {}
    for name in METRICS[task.kind]:
        values[name] = score(task, name, truth, prediction)
    return values


def interval(statistic: Statistic, count: int, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of a function of row numbers, by a percentile bootstrap.

    A resample of the `count` rows on which it is NaN (a class is missing) is left out.
    """
    values = bootstrap(statistic, count, seed)
    return percentiles(values)


def bootstrap(statistic: Statistic, count: int, seed: int) -> np.ndarray:
    """Return a function of row numbers on resamples of the rows, shape (resamples,)."""
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(RESAMPLES):
        resample = generator.integers(0, count, count)
        values.append(statistic(resample))
    return np.array(values)


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """Return the interval that holds 95 % of the values that are numbers."""
    edges = np.nanpercentile(values, [2.5, 97.5])
    low, high = edges.tolist()
    return low, high
