"""A hold-out drawn from the population, and the luck that each model has with it.

A model's luck is how much better its metric is on the hold-out than on the population.
Models without a true gain over each other differ by their luck alone.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.publish.gain import SEED
from pipeline.schema import Task
from pipeline.train.evaluate import RESAMPLES
from pipeline.train.units import sign
from tools.gate_study.scoring import Multiplied, Scoring

Array = np.ndarray


@dataclass(frozen=True)
class KnownModels:
    """Models whose true metrics are known.

    Attributes:
        scoring: their metrics on any rows of the population.
        true: their metrics on the population, shape (models,).
        direction: 1 if more of the metric is better, else -1.
        rows: how many rows the population has.
        whole: the true metric of all models if they were made equal by multiplying
            their losses, else None.
    """

    scoring: Scoring
    true: Array
    direction: int
    rows: int
    whole: float | None = None

    @classmethod
    def of(cls, task: Task, scoring: Scoring, rows: int) -> "KnownModels":
        """Return the models of a scoring with their true metrics."""
        every_row = np.arange(rows)
        once = np.ones((1, rows))
        true = scoring.score(every_row, once)
        direction = sign(task)
        return cls(scoring, true[:, 0], direction, rows)

    def made_equal(self) -> "KnownModels":
        """Return models that are all as good as the first.

        Where less of the metric is better, the losses of a model are multiplied by the
        same factor on every row. Subtracting the same from every row would leave losses
        below zero, which no model has. Of other metrics the luck stays as it is.
        """
        if self.direction > 0:
            return self
        equal = np.full_like(self.true, self.true[0])
        scoring = Multiplied(self.scoring, equal / self.true)
        return replace(self, scoring=scoring, true=equal, whole=float(equal[0]))

    @property
    def worth(self) -> Array:
        """The true metrics, so that more is better; shape (models,)."""
        return self.direction * self.true

    def luck(self, measured: Array) -> Array:
        """Return how much better measured metrics are than the true ones.

        Args:
            measured: shape (models, measurements).
        """
        difference = measured - self.true[:, np.newaxis]
        luck: Array = self.direction * difference
        return luck


@dataclass(frozen=True)
class Holdout:
    """One hold-out.

    Attributes:
        luck: each model's luck with it, shape (models,).
        resampled: the same in each resample of the gate's bootstrap, shape
            (models, resamples).
        rows: how many rows it has.
        whole: see `KnownModels`.
    """

    luck: Array
    resampled: Array
    rows: int
    whole: float | None = None

    def share_of_gain(self, luck: Array) -> Array | float:
        """Return how much of a true gain shows on the hold-out.

        A true gain multiplies a model's losses, so less of it shows where the losses
        are small. A gain of another metric shows in full.
        """
        if self.whole is None:
            return 1.0
        return 1 - luck / self.whole


def resample_counts(rows: int) -> Array:
    """Return how often each of the gate's resamples draws each row of a hold-out.

    Returns:
        Shape (resamples, rows).
    """
    generator = np.random.default_rng(SEED)
    counts = []
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, rows, rows)
        counts.append(np.bincount(drawn, minlength=rows))
    return np.stack(counts)


def draw(
    models: KnownModels,
    counts: Array,
    seed: int,
) -> Holdout:
    """Draw a hold-out from the population, with replacement.

    Args:
        models: the models.
        counts: the resamples of a hold-out, as `resample_counts` gives them.
        seed: the seed of the draw.
    """
    size = counts.shape[1]
    generator = np.random.default_rng(seed)
    rows: Array = generator.integers(0, models.rows, size=(size,))
    return on_rows(models, counts, rows)


def on_rows(
    models: KnownModels,
    counts: Array,
    rows: Array,
) -> Holdout:
    """Return the hold-out of some rows of the population."""
    size = len(rows)
    once = np.ones((1, size))
    measured = models.scoring.score(rows, once)
    resampled = models.scoring.score(rows, counts)
    # As in the gate, a resample without one of the classes is left out.
    has_value = np.isfinite(resampled).all(axis=0)
    luck = models.luck(measured)
    resampled_luck = models.luck(resampled[:, has_value])
    single = resampled_luck.astype(np.float32)
    return Holdout(luck[:, 0], single, rows=size, whole=models.whole)


@dataclass(frozen=True)
class Comparison:
    """Challengers against a champion on one hold-out.

    Attributes:
        gain: how much better each seems to be, shape (challengers,).
        resampled: the same in each resample, shape (challengers, resamples).
        rows: how many rows the hold-out has.
    """

    gain: Array
    resampled: Array
    rows: int

    @cached_property
    def error(self) -> Array:
        """The standard error of each gain, shape (challengers,)."""
        error: Array = self.resampled.std(axis=1)
        return error

    @property
    def low(self) -> Array:
        """The lower end of each gain's 95 % interval, shape (challengers,)."""
        low: Array = np.percentile(self.resampled, 2.5, axis=1)
        return low


def compare(
    holdout: Holdout,
    champion: int,
    challengers: Array,
    true_gains: Array,
) -> Comparison:
    """Compare challengers with a champion as the gate does.

    Args:
        holdout: the hold-out.
        champion: the number of the model in service.
        challengers: the numbers of the others, shape (challengers,).
        true_gains: how much better each truly is, shape (challengers,).
    """
    luck = holdout.luck[challengers]
    shown = true_gains * holdout.share_of_gain(luck)
    gain = luck + shown - holdout.luck[champion]
    resampled = holdout.resampled[challengers]
    shown = true_gains[:, np.newaxis] * holdout.share_of_gain(resampled)
    gains = resampled + shown - holdout.resampled[champion]
    return Comparison(gain, gains, rows=holdout.rows)
