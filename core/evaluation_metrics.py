"""The metrics of predictions, for the pipeline and for the feedback to the API.

The ground truth has shape (rows,): values, or the numbers of the classes. The
prediction has shape (rows,) for a regression, and (rows, classes), probabilities, for a
classification.

A bootstrap calls these functions some thousand times. They are scikit-learn's
definitions without its checks of the input, which take 100 times as long.
"""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray], float]


def _rmse(truth: np.ndarray, value: np.ndarray) -> float:
    error = truth - value
    mean_squared_error = np.mean(error**2)
    return float(np.sqrt(mean_squared_error))


def _mae(truth: np.ndarray, value: np.ndarray) -> float:
    error = np.abs(truth - value)
    return float(np.mean(error))


def _r2(truth: np.ndarray, value: np.ndarray) -> float:
    error = truth - value
    mean_squared_error = np.mean(error**2)
    variance = np.var(truth)
    unexplained = mean_squared_error / variance
    return float(1 - unexplained)


def _log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    smallest = np.finfo(np.float64).eps
    rows = np.arange(len(truth))
    of_true_class = probability[rows, truth]
    clipped = np.clip(of_true_class, smallest, 1 - smallest)
    logarithms = np.log(clipped)
    return float((-logarithms).mean())


def _roc_auc(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the share of pairs of a positive and a negative row that are in order.

    For more than two classes it is the mean of each class against the rest.
    """
    classes = probability.shape[1]
    first = 0
    if classes == 2:
        first = 1
    areas = []
    for place in range(first, classes):
        of_class = probability[:, place]
        is_positive = truth == place
        area = _area(of_class, is_positive)
        areas.append(area)
    return float(np.mean(areas))


def _area(value: np.ndarray, is_positive: np.ndarray) -> np.float64:
    """Return the area under the ROC curve of one class."""
    positive = value[is_positive]
    negative = np.sort(value[~is_positive])
    # Each pair counts once if it is in order, and half if the two are equal.
    below = negative.searchsorted(positive)
    below_or_equal = negative.searchsorted(positive, "right")
    twice_of_each = below + below_or_equal
    twice_in_order = twice_of_each.sum()
    pairs = len(positive) * len(negative)
    area: np.float64 = twice_in_order / (2 * pairs)
    return area


def _accuracy(truth: np.ndarray, probability: np.ndarray) -> float:
    predicted = probability.argmax(axis=1)
    is_hit = predicted == truth
    return float(np.mean(is_hit))


def _f1_macro(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean of the classes' F1.

    A class that neither occurs nor is predicted counts 0.
    """
    class_count = probability.shape[1]
    classes = np.arange(class_count)[:, None]
    predicted = probability.argmax(axis=1)
    is_true = truth == classes
    is_predicted = predicted == classes
    is_hit = is_true & is_predicted
    hits = is_hit.sum(axis=1)
    occurrences = is_true.sum(axis=1)
    predictions = is_predicted.sum(axis=1)
    total = occurrences + predictions
    divisor = np.maximum(total, 1)
    f1 = 2 * hits / divisor
    return float(np.mean(f1))


def _brier(truth: np.ndarray, probability: np.ndarray) -> float:
    classes = probability.shape[1]
    one_hot = np.eye(classes)[truth]
    error = probability - one_hot
    of_rows = np.sum(error**2, axis=1)
    return float(np.mean(of_rows))


REGRESSION: dict[str, Score] = {
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
CLASSIFICATION: dict[str, Score] = {
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "accuracy": _accuracy,
    "f1_macro": _f1_macro,
    "brier": _brier,
}
