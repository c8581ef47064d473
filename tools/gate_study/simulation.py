"""Many hold-outs of one task, each with sequences of pushes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from tools.gate_study import power
from tools.gate_study.holdout import (
    Holdout,
    KnownModels,
    compare,
    draw,
    resample_counts,
)
from tools.gate_study.population import CORES, Population
from tools.gate_study.rules import Rule
from tools.gate_study.scoring import scoring_of
from tools.gate_study.sequence import Course, play

Array = np.ndarray
# The models that are truly the best: each is the first champion of sequences.
CHAMPIONS = 4
# In the sequences with true gains, every so many pushes bring one.
EVERY = 50
# Its size, in standard errors of the difference between two models.
GAIN = 4.0
Courses = dict[str, Course]  # by the name of the rule


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
class Reign:
    """A first champion on one hold-out, and the pushes that followed.

    Attributes:
        luck: the champion's own luck with the hold-out.
        error: the standard error of the difference between two models.
        no_better: what became of challengers with their true metrics, none of which is
            better than the champion's.
        equal: what became of them if their true metrics were equal to the champion's.
        with_gains: as `no_better`, but every 50th push brings a true gain.
        needed: the gain that challengers would have needed, by the name of the rule and
            the place among those of the champion.
    """

    luck: float
    error: float
    no_better: Courses
    equal: Courses
    with_gains: Courses
    needed: dict[str, dict[int, Array]]


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
    of_first = population.predictions[first[chosen]]
    of_second = population.predictions[second[chosen]]
    means: Array = (of_first + of_second) / 2
    return means


def brings_gain(pushes: int) -> Array:
    """Return which pushes bring a true gain, shape (pushes,), bool."""
    numbers = np.arange(1, pushes + 1)
    is_gain: Array = numbers % EVERY == 0
    return is_gain


def simulate(
    population: Population, settings: Settings, advance: Callable[[], None]
) -> list[list[Reign]]:
    """Draw hold-outs and let each rule decide about the same pushes.

    Args:
        population: the rows and the fitted models.
        settings: the size of the simulation.
        advance: called after each hold-out.

    Returns:
        The first champions of each hold-out.

    Raises:
        UsageError: the task's metric cannot be studied.
    """
    models = _ranked(population, settings.pushes + CHAMPIONS)
    counts = resample_counts(population.holdout_rows)
    work = []
    for seed in range(settings.holdouts):
        task = delayed(_on_holdout)(models, counts, settings, seed)
        work.append(task)
    parallel = Parallel(n_jobs=CORES, return_as="generator")
    reigns = []
    for of_holdout in parallel(work):
        reigns.append(of_holdout)
        advance()
    return reigns


def _ranked(population: Population, count: int) -> KnownModels:
    """Return so many models, the one with the best true metric first."""
    task = population.task
    truth = population.truth
    predictions = challengers(population, count)
    models = KnownModels.of(task, scoring_of(task, truth, predictions), len(truth))
    best_first = np.argsort(-models.worth)
    ranked = scoring_of(task, truth, predictions[best_first])
    return KnownModels.of(task, ranked, len(truth))


def _on_holdout(
    models: KnownModels, counts: Array, settings: Settings, seed: int
) -> list[Reign]:
    with threadpool_limits(limits=1):
        as_they_are = draw(models, counts, seed)
        equal_models = models.made_equal()
        made_equal = as_they_are
        if equal_models is not models:
            made_equal = draw(equal_models, counts, seed)
    generator = np.random.default_rng(seed)
    reigns = []
    for champion in range(CHAMPIONS):
        others = np.arange(champion + 1, len(models.true))
        pushed = generator.choice(others, settings.pushes, replace=False)
        below = models.worth[pushed] - models.worth[champion]
        pushes = _Pushes(settings.rules, champion, pushed, below)
        reigns.append(pushes.reign(as_they_are, made_equal))
    return reigns


@dataclass(frozen=True)
class _Pushes:
    """The pushes that follow a first champion.

    Attributes:
        rules: the rules that decide.
        champion: the number of the champion.
        pushed: the numbers of the challengers, shape (pushes,).
        below: their true gains over the champion, none above zero.
    """

    rules: list[Rule]
    champion: int
    pushed: Array
    below: Array

    def reign(self, as_they_are: Holdout, made_equal: Holdout) -> Reign:
        """Let each rule decide.

        Args:
            as_they_are: a hold-out.
            made_equal: the same of models that are equally good.
        """
        none = np.zeros(len(self.pushed))
        comparison = compare(made_equal, self.champion, self.pushed, none)
        error = float(np.median(comparison.error))
        is_gain = brings_gain(len(self.pushed))
        gains = np.where(is_gain, GAIN * error, self.below)
        return Reign(
            luck=float(as_they_are.luck[self.champion]),
            error=error,
            no_better=self._courses(as_they_are, self.below),
            equal=self._courses(made_equal, none),
            with_gains=self._courses(made_equal, gains),
            needed=self._needed(made_equal),
        )

    def _courses(self, holdout: Holdout, true_gains: Array) -> Courses:
        by_rule = {}
        for rule in self.rules:
            course = play(holdout, rule, self.champion, self.pushed, true_gains)
            by_rule[rule.name] = course
        return by_rule

    def _needed(self, holdout: Holdout) -> dict[str, dict[int, Array]]:
        challengers = self.pushed[: power.CHALLENGERS]
        by_rule: dict[str, dict[int, Array]] = {}
        for rule in self.rules:
            by_rule[rule.name] = {}
            for place in power.PLACES:
                needed = power.needed_gains(
                    holdout, rule, self.champion, challengers, place
                )
                by_rule[rule.name][place] = needed
        return by_rule
