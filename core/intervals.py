"""Prediction intervals: bounds between which a given share of the true values lies.

The bounds are a prediction plus quantiles of the errors that the model made in
cross-validation (conformal prediction). The errors are those of predictions of a
similar size, because errors often grow with the value. Sources: R. Barber et al.,
"Predictive inference with the jackknife+" (2021), and V. Vovk et al., "Mondrian
confidence machine" (2003).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

LEVELS = (50, 80, 90, 95, 99)  # percent


class Range(NamedTuple):
    """The values that a target can have; None means that there is no limit."""

    low: float | None
    high: float | None


class LevelOffsets(BaseModel):
    """The bounds of one level, as distances from a prediction.

    Attributes:
        level: the share of the true values that should lie between the bounds, in
            percent.
        low: by bin, what is added to a prediction for the lower bound; mostly negative.
        high: by bin, what is added to a prediction for the upper bound.
    """

    model_config = ConfigDict(frozen=True)

    level: int
    low: list[float]
    high: list[float]


class MeasuredLevel(LevelOffsets):
    """The bounds of one level, with what was measured of them on the hold-out.

    Attributes:
        coverage: the share of the true values that lie between the bounds.
        width: the mean distance between the bounds, in the target's unit.
    """

    coverage: float
    width: float


class PredictionIntervals(BaseModel):
    """The intervals of a regression model.

    Attributes:
        edges: the inner edges of the bins of predictions, rising, without repeats; an
            edge belongs to the bin below it.
        levels: the levels for which there were enough training rows, rising.
    """

    model_config = ConfigDict(frozen=True)

    edges: list[float]
    levels: list[MeasuredLevel]

    def bounds(
        self, level: int, predictions: ArrayLike, limits: Range
    ) -> NDArray[np.float64]:
        """Return the bounds of predictions, as the function `bounds` does.

        Raises:
            KeyError: the model does not have the level.
        """
        for measured in self.levels:
            if measured.level == level:
                return bounds(self.edges, measured, predictions, limits)
        raise KeyError(level)


def bounds(
    edges: Sequence[float],
    offsets: LevelOffsets,
    predictions: ArrayLike,
    limits: Range,
) -> NDArray[np.float64]:
    """Return the lower and the upper bound of predictions, shape (rows, 2).

    Args:
        edges: those of `PredictionIntervals`.
        offsets: those of the level.
        predictions: shape (rows,).
        limits: bounds beyond them are moved to them.
    """
    values = np.asarray(predictions, dtype=float)
    bins = np.searchsorted(edges, values, side="left")
    low = values + np.asarray(offsets.low)[bins]
    high = values + np.asarray(offsets.high)[bins]
    least = -np.inf if limits.low is None else limits.low
    most = np.inf if limits.high is None else limits.high
    pairs: NDArray[np.float64] = np.column_stack([low, high])
    return pairs.clip(least, most)
