"""A hold-out drawn from the population, and the luck that each model has with it.

A model's luck is how much better its metric is on the hold-out than on the population.
Models without a true gain over each other differ by their luck alone.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.publish.gain import SEED
from pipeline.schema import Task
from pipeline.train.evaluate import RESAMPLES
from pipeline.train.units import sign
from tools.gate_study.scoring import Scoring

Array = np.ndarray


@dataclass(frozen=True)
class KnownModels:
    """Models whose true metrics are known.

    Attributes:
        scoring: their metrics on any rows of the population.
        true: their metrics on the population, shape (models,).
        direction: 1 if more of the metric is better, else -1.
        rows: how many rows the population has.
    """

    scoring: Scoring
    true: Array
    direction: int
    rows: int

    @classmethod
    def of(cls, task: Task, scoring: Scoring, rows: int) -> "KnownModels":
        """Return the models of a scoring with their true metrics."""
        every_row = np.arange(rows)
        once = np.ones((1, rows))
        true = scoring.score(every_row, once)
        direction = sign(task)
        return cls(scoring, true[:, 0], direction, rows)

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
    """

    luck: Array
    resampled: Array
    rows: int


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
    return Holdout(luck[:, 0], single, rows=size)


@dataclass(frozen=True)
class Comparison:
    """Challengers without a true gain against a champion on one hold-out.

    Attributes:
        gain: how much better each seems to be, shape (challengers,).
        error: the standard error of that gain.
        low: the lower end of the gain's 95 % interval.
        rows: how many rows the hold-out has.
    """

    gain: Array
    error: Array
    low: Array
    rows: int


def compare(
    holdout: Holdout,
    champion: int,
    challengers: Array,
) -> Comparison:
    """Compare challengers with a champion as the gate does.

    Args:
        holdout: the hold-out.
        champion: the number of the model in service.
        challengers: the numbers of the others, shape (challengers,).
    """
    gain = holdout.luck[challengers] - holdout.luck[champion]
    of_champion = holdout.resampled[champion]
    gains = holdout.resampled[challengers] - of_champion
    return Comparison(
        gain=gain,
        error=gains.std(axis=1),
        low=np.percentile(gains, 2.5, axis=1),
        rows=holdout.rows,
    )
