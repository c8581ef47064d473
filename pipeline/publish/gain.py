"""How much better one model is than another on the same rows, and how sure that is."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.schema import Task
from pipeline.train.evaluate import bootstrap, percentiles, scorer

SEED = 42


@dataclass(frozen=True)
class Gain:
    """A new model's gain over an old one, in units of the task's metric.

    Attributes:
        low: the lower end of its 95 % interval; positive means better, whatever the
            metric's direction.
        high: the upper end.
        p_value: the probability of such a gain, or a larger one, if the new model is
            no better.
        value: the gain itself.
        error: its standard error.
        rows: how many rows it was measured on.
    """

    low: float
    high: float
    p_value: float
    value: float
    error: float
    rows: int

    def difference(self, task: Task) -> tuple[float, float]:
        """Return the interval of the new model's metric minus the old one's."""
        if task.metric.higher_is_better:
            return self.low, self.high
        return -self.high, -self.low


def measure(task: Task, truth: np.ndarray, old: np.ndarray, new: np.ndarray) -> Gain:
    """Measure the gain of a new model over an old one.

    A paired bootstrap: each resample draws rows, and both models are scored on the same
    rows. It gives the interval, and the standard error for a t-test.

    Args:
        task: the task.
        truth: shape (rows,).
        old: the predictions of the old model, shape (rows,) or (rows, classes).
        new: those of the new model.
    """
    sign = 1 if task.metric.higher_is_better else -1
    before = scorer(task, task.metric.name, truth, old)
    after = scorer(task, task.metric.name, truth, new)

    def gain(rows: np.ndarray) -> float:
        difference = after(rows) - before(rows)
        return sign * difference

    count = len(truth)
    all_rows = np.arange(count)
    resampled = bootstrap(gain, count, SEED)
    low, high = percentiles(resampled)
    value = gain(all_rows)
    error = float(np.nanstd(resampled))
    p_value = _p_value(value, error, count)
    return Gain(low, high, p_value, value, error, rows=count)


def _p_value(gain: float, error: float, rows: int) -> float:
    """Return the one-sided p-value of a t-test."""
    if error == 0:
        return 0.0 if gain > 0 else 1.0
    degrees_of_freedom = rows - 1
    return float(special.stdtr(degrees_of_freedom, -gain / error))
