"""Prediction intervals from the errors of a regression's cross-validation."""

from collections.abc import Iterator

import numpy as np

from core.intervals import (
    LEVELS,
    LevelOffsets,
    MeasuredLevel,
    PredictionIntervals,
    Range,
    bounds,
)
from pipeline.train.candidates import Candidate
from pipeline.train.training_data import TrainingData

BINS = 5
# Rows of a bin: 99 % need one error of 200 beyond each bound.
SMALLEST_BIN = 199


def of_candidate(
    data: TrainingData, candidate: Candidate, prediction: np.ndarray
) -> PredictionIntervals | None:
    """Return the intervals of a candidate; None if it predicts classes.

    Args:
        data: the rows that it was trained and evaluated on.
        candidate: the candidate.
        prediction: its predictions for the hold-out, shape (rows,).
    """
    if candidate.out_of_fold is None:
        return None
    target = data.task.target
    limits = Range(target.low, target.high)
    return calibrate(candidate.out_of_fold, data.truth, prediction, limits)


def calibrate(
    out_of_fold: np.ndarray,
    truth: np.ndarray,
    prediction: np.ndarray,
    limits: Range,
) -> PredictionIntervals:
    """Return the intervals of a model, calibrated on its training rows alone.

    Args:
        out_of_fold: predictions for the training rows, each by a model that was fitted
            without that row, and the true values, shape (rows, 2).
        truth: the true values of the hold-out, shape (rows,); only measured on.
        prediction: the model's predictions for the hold-out, shape (rows,).
        limits: the values that the target can have.
    """
    predicted, true = out_of_fold.T
    edges = _edges(predicted)
    bins = np.searchsorted(edges, predicted, side="left")
    errors = true - predicted
    count = len(edges) + 1
    by_bin = [np.sort(errors[bins == place]) for place in range(count)]
    levels = []
    for offsets in _offsets(by_bin):
        low, high = bounds(edges, offsets, prediction, limits).T
        is_above_low = low <= truth
        is_covered = is_above_low & (truth <= high)
        measured = MeasuredLevel(
            **offsets.model_dump(),
            coverage=float(np.mean(is_covered)),
            width=float(np.mean(high - low)),
        )
        levels.append(measured)
    return PredictionIntervals(edges=edges, levels=levels)


def _edges(predicted: np.ndarray) -> list[float]:
    """Return the inner edges of bins with about as many predictions each.

    There is one bin without an edge if one of several would have too few rows.
    """
    ends_and_edges = np.linspace(0, 1, BINS + 1)
    shares = ends_and_edges[1:-1]
    quantiles = np.quantile(predicted, shares)
    edges = np.unique([_six_digits(edge) for edge in quantiles])
    bins = np.searchsorted(edges, predicted, side="left")
    rows = np.bincount(bins, minlength=len(edges) + 1)
    if rows.min() < SMALLEST_BIN:
        return []
    return [float(edge) for edge in edges]


def _offsets(by_bin: list[np.ndarray]) -> Iterator[LevelOffsets]:
    """Yield the offsets of each level that every bin has enough errors for.

    On each side of the bounds, half of the rest of the errors lies beyond them: of
    rows + 1, as if the error of the next row were one of them.
    """
    for level in LEVELS:
        low = []
        high = []
        for errors in by_bin:
            rows = len(errors) + 1
            beyond = rows * (100 - level) // 200
            if beyond:
                low.append(_six_digits(errors[beyond - 1]))
                high.append(_six_digits(errors[-beyond]))
        if len(low) == len(by_bin):
            yield LevelOffsets(level=level, low=low, high=high)


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
