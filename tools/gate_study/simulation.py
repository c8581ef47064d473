"""Many hold-outs of one task, each with sequences of pushes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from tools.gate_study.holdout import (
    Comparison,
    Models,
    compare,
    draw,
    resample_counts,
)
from tools.gate_study.population import CORES, Population
from tools.gate_study.rules import Rule
from tools.gate_study.scoring import scoring_of
from tools.gate_study.sequence import Course, play

Array = np.ndarray
# Of each hold-out, so many sequences begin with a champion of their own.
CHAMPIONS = 5
# In the sequences with true gains, every so many pushes bring one.
EVERY = 50
# Its size, in standard errors of the difference between two models.
GAIN = 4.0


@dataclass(frozen=True)
class Settings:
    """The size of a simulation.

    Attributes:
        holdouts: how many hold-outs are drawn.
        pushes: how many pushes a sequence has.
        rules: the rules that decide.
    """

    holdouts: int
    pushes: int
    rules: list[Rule]


@dataclass(frozen=True)
class Sequences:
    """The sequences that began with one champion on one hold-out.

    Attributes:
        luck: the champion's own luck with the hold-out.
        comparison: all challengers against the first champion.
        without_gains: by rule, the course of pushes without a true gain.
        with_gains: the same, if every 50th push brings a true gain.
    """

    luck: float
    comparison: Comparison
    without_gains: dict[str, Course]
    with_gains: dict[str, Course]


def challengers(population: Population, count: int) -> Array:
    """Return the predictions of different models that a recipe could give.

    Each is the mean of two of the fitted models.

    Returns:
        Shape (count, rows), or (count, rows, classes).
    """
    generator = np.random.default_rng(0)
    fitted = len(population.predictions)
    first, second = np.triu_indices(fitted, 1)
    chosen = generator.choice(len(first), count, replace=False)
    total = population.predictions[first[chosen]]
    total = total + population.predictions[second[chosen]]
    return total / 2


def gains(pushes: int, size: float) -> Array:
    """Return the true gain of each push: one of a size at every 50th, else none."""
    sizes = np.zeros(pushes)
    sizes[EVERY - 1 :: EVERY] = size
    return sizes


def simulate(
    population: Population, settings: Settings, advance: Callable[[], None]
) -> list[Sequences]:
    """Draw hold-outs and let each rule decide about the same pushes.

    Args:
        population: the rows and the fitted models.
        settings: the size of the simulation.
        advance: called after each hold-out.

    Raises:
        UsageError: the task's metric cannot be studied.
    """
    predictions = challengers(population, settings.pushes + 1)
    scoring = scoring_of(population.task, population.truth, predictions)
    models = Models.of(population.task, scoring, len(population.truth))
    counts = resample_counts(population.holdout_rows)
    work = [
        delayed(_on_holdout)(models, counts, settings, seed)
        for seed in range(settings.holdouts)
    ]
    sequences: list[Sequences] = []
    for of_holdout in Parallel(n_jobs=CORES, return_as="generator")(work):
        sequences += of_holdout
        advance()
    return sequences


def _on_holdout(
    models: Models, counts: Array, settings: Settings, seed: int
) -> list[Sequences]:
    with threadpool_limits(limits=1):
        holdout = draw(models, counts, seed)
    rows = counts.shape[1]
    generator = np.random.default_rng(seed)
    numbers = np.arange(settings.pushes + 1)
    no_gains = np.zeros(settings.pushes)
    sequences = []
    for champion in range(CHAMPIONS):
        others = generator.permutation(np.delete(numbers, champion))
        comparison = compare(holdout, champion, others, rows)
        size = GAIN * float(np.median(comparison.error))
        some_gains = gains(settings.pushes, size)
        without = {}
        with_gains = {}
        for rule in settings.rules:
            without[rule.name] = play(holdout, rule, champion, others, no_gains, rows)
            with_gains[rule.name] = play(
                holdout, rule, champion, others, some_gains, rows
            )
        sequence = Sequences(
            luck=float(holdout.luck[champion]),
            comparison=comparison,
            without_gains=without,
            with_gains=with_gains,
        )
        sequences.append(sequence)
    return sequences
