"""Metrics of predictions. Needs numpy and scipy, and nothing of MLflow or ONNX."""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from pipeline.errors import PipelineError
from pipeline.schema import Kind, Task

Score = Callable[[np.ndarray, np.ndarray], float]

RESAMPLES = 1000
_LOWER_IS_BETTER = ("rmse", "mae", "log_loss", "brier")


# A bootstrap asks for these some thousand times: they are scikit-learn's definitions without its
# checks of the input, which take 100 times as long.


def _log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    smallest = np.finfo(np.float64).eps
    likely = np.clip(probability[np.arange(len(truth)), truth], smallest, 1 - smallest)
    return float(-np.log(likely).mean())


def _roc_auc(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the area under the curve; of many classes the mean of each against the rest."""
    classes = range(probability.shape[1]) if probability.shape[1] > 2 else [1]
    return float(np.mean([_binary_auc(truth == place, probability[:, place]) for place in classes]))


def _binary_auc(positive: np.ndarray, value: np.ndarray) -> float:
    """Return the share of pairs of a positive and a negative row that are in order."""
    hits = positive.sum()
    pairs = hits * (len(positive) - hits)
    return float((rankdata(value)[positive].sum() - hits * (hits + 1) / 2) / pairs)


def _f1_macro(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean of the classes' F1; a class that is neither there nor named counts 0."""
    classes, named = np.arange(probability.shape[1])[:, None], probability.argmax(axis=1)
    hits = ((truth == classes) & (named == classes)).sum(axis=1)
    either = (truth == classes).sum(axis=1) + (named == classes).sum(axis=1)
    return float(np.mean(2 * hits / np.maximum(either, 1)))


def _brier(truth: np.ndarray, probability: np.ndarray) -> float:
    wrong = probability - np.eye(probability.shape[1])[truth]
    return float(np.mean(np.sum(wrong**2, axis=1)))


METRICS: dict[Kind, dict[str, Score]] = {
    Kind.REGRESSION: {
        "rmse": lambda truth, value: np.sqrt(np.mean((truth - value) ** 2)),
        "mae": lambda truth, value: np.mean(np.abs(truth - value)),
        "r2": lambda truth, value: 1 - np.mean((truth - value) ** 2) / np.var(truth),
    },
    Kind.CLASSIFICATION: {
        "log_loss": _log_loss,
        "roc_auc": _roc_auc,
        "accuracy": lambda truth, value: np.mean(value.argmax(axis=1) == truth),
        "f1_macro": _f1_macro,
        "brier": _brier,
    },
}


def higher_is_better(metric: str) -> bool:
    """Tell the direction of a metric by its name."""
    return metric not in _LOWER_IS_BETTER


def encode(task: Task, truth: np.ndarray) -> np.ndarray:
    """Return true values as numbers: of a regression in its unit, else the class's place."""
    if task.kind is Kind.REGRESSION:
        return np.asarray(truth, dtype=float)
    places = {name: place for place, name in enumerate(task.target.classes)}
    return np.array([places[name] for name in truth], dtype=int)


def score(task: Task, metric: str, truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return one metric.

    Args:
        truth: shape (rows,), in the target's unit or as the names of the classes.
        prediction: shape (rows,) of a regression, (rows, classes) of probabilities else.

    Raises:
        PipelineError: the metric is not a number for these predictions.
    """
    return _score(task, metric, encode(task, truth), _clean(task, prediction))


def metrics(task: Task, truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """Return all metrics of the task's kind by name; see `score`."""
    numbers, clean = encode(task, truth), _clean(task, prediction)
    return {name: _score(task, name, numbers, clean) for name in METRICS[task.kind]}


def interval(
    task: Task, metric: str, truth: np.ndarray, prediction: np.ndarray, seed: int
) -> tuple[float, float]:
    """Return a metric's 95 % interval by a percentile bootstrap of the rows; see `score`.

    A resample on which the metric is not defined (a class is missing) is left out.
    """
    numbers, clean = encode(task, truth), _clean(task, prediction)
    generator, values = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        rows = generator.integers(0, len(numbers), len(numbers))
        if task.kind is Kind.REGRESSION or len(np.unique(numbers[rows])) == clean.shape[1]:
            values.append(_score(task, metric, numbers[rows], clean[rows]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _score(task: Task, metric: str, truth: np.ndarray, prediction: np.ndarray) -> float:
    value = float(METRICS[task.kind][metric](truth, prediction))
    if not np.isfinite(value):
        raise PipelineError(f"{task.name}: the metric {metric} is not a number.")
    return value


def _clean(task: Task, prediction: np.ndarray) -> np.ndarray:
    """Return predictions in double precision; probabilities of float32 add up to 1 again."""
    values = np.asarray(prediction, dtype=float)
    if not np.isfinite(values).all():
        raise PipelineError(
            f"{task.name}: the metric {task.metric.name} is not a number, for not every "
            "prediction is one."
        )
    return values if task.kind is Kind.REGRESSION else values / values.sum(axis=1, keepdims=True)
