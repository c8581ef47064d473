"""Records with the distributions of a model's training data.

A manifest holds the distribution of each feature and of the predictions, but not how
the features depend on each other: features drawn independently of each other would
shift the predictions. So a large pool of them is drawn and predicted, and its records
are weighted until all distributions hold at once (raking).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.serving.model import Model, Prediction
from app.serving.validation import Record
from core.distributions import Distribution
from core.manifest import Feature, TargetColumn

Numbers = NDArray[np.float64]
Bins = NDArray[np.intp]
Column = list[int] | list[float]

POOL = 30_000
ROUNDS = 300
CLOSE = 1e-4
# How far the open bins at both ends go, in widths of the bins beside them.
ENDS = 2.0
DIGITS = 6
# Instead of a probability of 0, so that a class can be drawn at all.
SMALLEST_CHANCE = 1e-9


@dataclass(frozen=True)
class Margin:
    """One of the distributions that the weighted pool must have.

    Attributes:
        bins: the bin of each record in the pool.
        shares: the wanted share of each bin.
    """

    bins: Bins
    shares: Numbers


class Population:
    """The records that are sent to one task.

    Attributes:
        task: the task's name.
        numbers: the numeric features, which are those that can drift.
    """

    def __init__(self, folder: Path, random: np.random.Generator) -> None:
        """Draw and weight the pool for the model in a folder of `deployment/models`.

        Raises:
            ModelError: the folder holds no model that can be opened.
        """
        self._model = Model(folder)
        self._random = random
        self._manifest = self._model.manifest
        self.task = self._manifest.task
        self.numbers = []
        self._features: dict[str, Feature] = {}
        for feature in self._manifest.features:
            self._features[feature.name] = feature
            if feature.type == "number":
                self.numbers.append(feature.name)
        self._columns: dict[str, list[Any]] = {}
        self._draw_pool()

    def draw(self, count: int) -> list[Record]:
        """Return records of the population."""
        positions = self._random.random(count)
        rows = np.searchsorted(self._cumulated, positions, side="right")
        return [self._record(row) for row in rows]

    def shift(self, name: str, deviations: float) -> None:
        """Move a feature by a number of its standard deviations, within its range."""
        values = np.array(self._columns[name], float)
        mean = np.average(values, weights=self._weights)
        distances = values - mean
        variance = np.average(distances**2, weights=self._weights)
        standard_deviation = np.sqrt(variance)
        moved = values + deviations * standard_deviation
        low, high = _range(self._features[name])
        within_range = np.clip(moved, low, high)
        self._columns[name] = self._rounded(name, within_range)

    def truth(self, answer: Prediction) -> float | str:
        """Make up the ground truth for a prediction.

        The model turns out to be wrong as often as it was on its hold-out.
        """
        if self._manifest.target.classes:
            return self._true_class(answer)
        return self._true_value(answer)

    def _true_value(self, answer: Prediction) -> float:
        metrics = self._manifest.metric_values()
        rmse = metrics["rmse"]
        # Errors have long tails: normal ones of this RMSE would have a mean that
        # alerts.
        spread = rmse / np.sqrt(2)
        value = self._random.laplace(answer["prediction"], spread)
        low, high = _range(self._manifest.target)
        within_range = np.clip(value, low, high)
        return float(within_range)

    def _true_class(self, answer: Prediction) -> str:
        predicted: str = answer["prediction"]
        metrics = self._manifest.metric_values()
        error_rate = 1 - metrics["accuracy"]
        doubt = 1 - answer["confidence"]
        wrong = doubt * error_rate / self._mean_doubt
        if self._random.random() >= wrong:
            return predicted
        others = list(self._manifest.target.classes)
        others.remove(predicted)
        probabilities = answer["probabilities"]
        of_others = [probabilities[name] for name in others]
        chances = np.array(of_others) + SMALLEST_CHANCE
        chances /= chances.sum()
        chosen = self._random.choice(others, p=chances)
        return str(chosen)

    def _draw_pool(self) -> None:
        reference = self._manifest.reference
        margins = []
        for name, distribution in reference.features.items():
            margin = self._draw_feature(name, distribution)
            margins.append(margin)
        records = [self._record(row) for row in range(POOL)]
        output = self._model.run(records)
        for distribution in reference.predictions.values():
            if distribution.categories:
                bins = output.argmax(axis=1)
            else:
                bins = distribution.bins(output[:, -1])
            shares = distribution.normalized()
            margins.append(Margin(bins, shares))
        self._weights = _rake(margins)
        self._cumulated = np.cumsum(self._weights)
        self._cumulated[-1] = 1.0
        doubts = 1 - output.max(axis=1)
        mean_doubt = np.average(doubts, weights=self._weights)
        self._mean_doubt = float(mean_doubt)

    def _draw_feature(self, name: str, distribution: Distribution) -> Margin:
        """Fill the feature's column of the pool."""
        shares = distribution.normalized()
        bins: Bins = self._random.choice(len(shares), POOL, p=shares)
        if distribution.categories:
            categories = distribution.categories
            self._columns[name] = [categories[number] for number in bins]
            return Margin(bins, shares)
        edges = np.array(distribution.edges)
        column = self._values(name, edges, bins)
        self._columns[name] = column
        # A value that was rounded may have left its bin.
        bins = distribution.bins(column)
        return Margin(bins, shares)

    def _values(self, name: str, edges: Numbers, bins: Bins) -> Column:
        """Return a value from each bin, which holds its upper edge but not its lower."""
        lows, highs = self._limits(name, edges)
        low = lows[bins]
        high = highs[bins]
        width = high - low
        positions = self._random.random(POOL)
        values = high - width * positions
        if self._is_whole(name):
            first = np.floor(low) + 1
            last = np.floor(high)
            steps = np.floor(values - low)
            values = np.minimum(first + steps, last)
        return self._rounded(name, values)

    def _limits(self, name: str, edges: Numbers) -> tuple[Numbers, Numbers]:
        """Return the lower and the upper limits of the bins."""
        low, high = _range(self._features[name])
        if self._is_whole(name):
            low -= 1  # A bin does not hold its lower limit, but a range does.
        widths = np.array([1.0])
        if len(edges) > 1:
            widths = np.diff(edges)
        length_below = ENDS * widths[0]
        length_above = ENDS * widths[-1]
        first = edges[0] - length_below
        last = edges[-1] + length_above
        lows = np.array([max(low, first), *edges])
        highs = np.array([*edges, min(high, last)])
        return lows, highs

    def _is_whole(self, name: str) -> bool:
        """Return whether a feature is a count: its example is then 28, and not 28.0."""
        example = self._features[name].example
        return isinstance(example, int)

    def _rounded(self, name: str, values: Numbers) -> Column:
        if self._is_whole(name):
            whole = np.rint(values)
            return [int(value) for value in whole]
        column = []
        for value in values:
            text = f"{value:.{DIGITS}g}"
            column.append(float(text))
        return column

    def _record(self, row: int) -> Record:
        record: Record = {}
        for name, column in self._columns.items():
            record[name] = column[row]
        return record


def _range(column: Feature | TargetColumn) -> tuple[float, float]:
    """Return the limits of a column's values, which may be infinite."""
    low = -np.inf
    if column.low is not None:
        low = column.low
    high = np.inf
    if column.high is not None:
        high = column.high
    return low, high


def _rake(margins: list[Margin]) -> Numbers:
    """Return weights of the pool's records with which every distribution holds."""
    weights = np.full(POOL, 1 / POOL)
    for _ in range(ROUNDS):
        largest_gap = 0.0
        for margin in margins:
            wanted = margin.shares
            held = np.bincount(margin.bins, weights, minlength=len(wanted))
            gaps = abs(held - wanted)
            largest_gap = max(largest_gap, float(gaps.max()))
            factors = np.zeros_like(wanted)
            np.divide(wanted, held, out=factors, where=held > 0)
            weights *= factors[margin.bins]
        if largest_gap < CLOSE:
            break
    normalized: Numbers = weights / weights.sum()
    return normalized
