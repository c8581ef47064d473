"""The metrics of predictions, the same for the pipeline and for what comes back to the
API.

The truth has shape (rows,): values, or the places of the classes. The prediction has
shape (rows,) for a regression, (rows, classes) of probabilities else.
"""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray], float]

# A bootstrap asks for these some thousand times: they are scikit-learn's definitions
# without its checks of the input, which take 100 times as long.


def _log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    smallest = np.finfo(np.float64).eps
    likely = np.clip(probability[np.arange(len(truth)), truth], smallest, 1 - smallest)
    return float(-np.log(likely).mean())


def _roc_auc(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the share of pairs of a positive and a negative row that are in order.

    Of many classes it is the mean of each against the rest.
    """
    shares = []
    for place in range(probability.shape[1])[-1 if probability.shape[1] == 2 else 0 :]:
        hit, value = truth == place, probability[:, place]
        positive, negative = value[hit], np.sort(value[~hit])
        # Each pair once if it is in order, and half of it if the two are equal.
        twice = negative.searchsorted(positive) + negative.searchsorted(
            positive, "right"
        )
        shares.append(twice.sum() / (2 * len(positive) * len(negative)))
    return float(np.mean(shares))


def _f1_macro(truth: np.ndarray, probability: np.ndarray) -> float:
    """Return the mean of the classes' F1; a class that is neither there nor named
    counts 0.
    """
    classes, named = np.arange(probability.shape[1])[:, None], probability.argmax(
        axis=1
    )
    hits = ((truth == classes) & (named == classes)).sum(axis=1)
    either = (truth == classes).sum(axis=1) + (named == classes).sum(axis=1)
    return float(np.mean(2 * hits / np.maximum(either, 1)))


def _brier(truth: np.ndarray, probability: np.ndarray) -> float:
    wrong = probability - np.eye(probability.shape[1])[truth]
    return float(np.mean(np.sum(wrong**2, axis=1)))


REGRESSION: dict[str, Score] = {
    "rmse": lambda truth, value: np.sqrt(np.mean((truth - value) ** 2)),
    "mae": lambda truth, value: np.mean(np.abs(truth - value)),
    "r2": lambda truth, value: 1 - np.mean((truth - value) ** 2) / np.var(truth),
}
CLASSIFICATION: dict[str, Score] = {
    "log_loss": _log_loss,
    "roc_auc": _roc_auc,
    "accuracy": lambda truth, value: np.mean(value.argmax(axis=1) == truth),
    "f1_macro": _f1_macro,
    "brier": _brier,
}
