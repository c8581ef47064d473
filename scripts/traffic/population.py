"""Records that are distributed as those that a model was trained on, and so are its
answers.

A manifest knows each feature's distribution and that of the predictions, but not how
they hang
together: features drawn one by one would shift the predictions. So a large pool of them
is drawn and answered, and its records are weighted until every distribution holds at
once (raking).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.serving.model import Model, Prediction
from app.serving.validation import Record
from core.manifest import Feature, TargetColumn

Numbers = NDArray[np.float64]
Bins = NDArray[np.intp]

POOL = 30_000
ROUNDS, CLOSE = 300, 1e-4
# How far the open bins at both ends go, in widths of the bins beside them.
ENDS = 2.0
DIGITS = 6


class Population:
    """What is asked of one task.

    Attributes:
        task: the task's name.
        numbers: the features that can drift: those that are numbers.
    """

    def __init__(self, folder: Path, random: np.random.Generator) -> None:
        """Draw and weigh the pool for the model in a folder of `deployment/models`.

        Raises:
            ModelError: the folder holds no model that can be opened.
        """
        self._model, self._random = Model(folder), random
        self._manifest = self._model.manifest
        self.task = self._manifest.task
        features = self._manifest.features
        self._features = {feature.name: feature for feature in features}
        self.numbers = [f.name for f in features if f.type == "number"]
        self._columns: dict[str, list[Any]] = {}
        self._draw_pool()

    def draw(self, count: int) -> list[Record]:
        """Return records of the population."""
        chosen = np.searchsorted(self._rising, self._random.random(count), side="right")
        return [
            {name: column[row] for name, column in self._columns.items()}
            for row in chosen
        ]

    def shift(self, name: str, deviations: float) -> None:
        """Move a feature by so many of its standard deviations, as far as its range
        allows.
        """
        values = np.array(self._columns[name], float)
        mean = np.average(values, weights=self._weights)
        deviation = np.sqrt(np.average((values - mean) ** 2, weights=self._weights))
        moved = np.clip(values + deviations * deviation, *_range(self._features[name]))
        self._columns[name] = self._written(name, moved)

    def truth(self, answer: Prediction) -> float | str:
        """Make up what turned out to be true: the model is wrong as often as on its
        hold-out.
        """
        target = self._manifest.target
        metrics = self._manifest.metric_values()
        if not target.classes:
            # Errors have long tails: normal ones of this RMSE would have a mean that
            # alerts.
            spread = metrics["rmse"] / np.sqrt(2)
            value = self._random.laplace(answer["prediction"], spread)
            return float(np.clip(value, *_range(target)))
        wrong = (1 - answer["confidence"]) * (1 - metrics["accuracy"]) / self._doubt
        if self._random.random() >= wrong:
            return str(answer["prediction"])
        others = [name for name in target.classes if name != answer["prediction"]]
        chances = np.array([answer["probabilities"][name] for name in others]) + 1e-9
        return str(self._random.choice(others, p=chances / chances.sum()))

    def _draw_pool(self) -> None:
        reference = self._manifest.reference
        sorted_in: list[tuple[Bins, Numbers]] = []
        for name, distribution in reference.features.items():
            shares = distribution.normalized()
            bins: Bins = self._random.choice(len(shares), POOL, p=shares)
            if distribution.categories:
                categories = distribution.categories
                self._columns[name] = [categories[number] for number in bins]
            else:
                edges = np.array(distribution.edges)
                self._columns[name] = self._values(name, edges, bins)
                bins = distribution.bins(self._columns[name])
            sorted_in.append((bins, shares))
        names = list(self._columns)
        rows = zip(*self._columns.values(), strict=True)
        output = self._model.run([dict(zip(names, row, strict=True)) for row in rows])
        for distribution in reference.predictions.values():
            if distribution.categories:
                bins = output.argmax(axis=1)
            else:
                bins = distribution.bins(output[:, -1])
            sorted_in.append((bins, distribution.normalized()))
        self._weights = _rake(sorted_in)
        self._rising = np.cumsum(self._weights)
        self._rising[-1] = 1.0
        self._doubt = float(np.average(1 - output.max(axis=1), weights=self._weights))

    def _values(self, name: str, edges: Numbers, bins: Bins) -> list[float] | list[int]:
        """Return a value from each bin, which holds its upper edge and not its lower
        one.
        """
        lows, highs = self._limits(name, edges)
        low, high = lows[bins], highs[bins]
        values = high - (high - low) * self._random.random(POOL)
        if self._is_whole(name):
            values = np.minimum(
                np.floor(low) + 1 + np.floor(values - low), np.floor(high)
            )
        return self._written(name, values)

    def _limits(self, name: str, edges: Numbers) -> tuple[Numbers, Numbers]:
        """Return where each bin begins and ends; a range's own end is a value too."""
        low, high = _range(self._features[name])
        widths = np.diff(edges) if len(edges) > 1 else np.array([1.0])
        least = max(low - self._is_whole(name), edges[0] - ENDS * widths[0])
        most = min(high, edges[-1] + ENDS * widths[-1])
        return np.array([least, *edges]), np.array([*edges, most])

    def _is_whole(self, name: str) -> bool:
        """Tell whether a feature counts something: 28 is an example of it, and not
        28.0.
        """
        return isinstance(self._features[name].example, int)

    def _written(self, name: str, values: Numbers) -> list[int] | list[float]:
        if self._is_whole(name):
            return [int(value) for value in np.rint(values)]
        return [float(f"{value:.{DIGITS}g}") for value in values]


def _range(described: Feature | TargetColumn) -> tuple[float, float]:
    """Return from where to where a feature or a target goes; one without an end has
    none.
    """
    low, high = described.low, described.high
    return -np.inf if low is None else low, np.inf if high is None else high


def _rake(sorted_in: list[tuple[Bins, Numbers]]) -> Numbers:
    """Return weights with which the pool has the wanted share of each distribution in
    each bin.
    """
    weights = np.full(POOL, 1 / POOL)
    for _ in range(ROUNDS):
        off = 0.0
        for bins, shares in sorted_in:
            held = np.bincount(bins, weights, minlength=len(shares))
            off = max(off, float(abs(held - shares).max()))
            factors = np.divide(shares, held, out=np.zeros_like(shares), where=held > 0)
            weights *= factors[bins]
        if off < CLOSE:
            break
    normal: Numbers = weights / weights.sum()
    return normal
