"""The figures of a rule, from all sequences of a task."""

import time
from dataclasses import dataclass

import numpy as np

from pipeline.publish import gain
from tools.gate_study.holdout import Comparison
from tools.gate_study.population import Population
from tools.gate_study.rules import Rule
from tools.gate_study.simulation import CHAMPIONS, Sequences, Settings, gains

# The share of the challengers that are promoted at the smallest gain that counts as
# found.
POWER = 0.8
# The smallest gain is given for so many challengers of a champion.
PLACES = (1, 10, 100, 1000)


@dataclass(frozen=True)
class RuleFigures:
    """What a rule does.

    Attributes:
        rule: its name.
        with_false_promotion: the share of sequences without true gains in which at
            least one challenger was promoted.
        false_promotions: how many were promoted in such a sequence, on average.
        optimism: how much better than it is the champion seems to be at the end, in
            standard errors of its metric on the hold-out.
        optimism_with_gains: the same in the sequences with true gains.
        gains_found: the share of the true gains that were promoted.
        smallest_gain: the true gain of which 80 % are promoted, in units of the metric,
            by the place of the challenger among those of its champion.
    """

    rule: str
    with_false_promotion: float
    false_promotions: float
    optimism: float
    optimism_with_gains: float
    gains_found: float
    smallest_gain: dict[int, float]


@dataclass(frozen=True)
class TaskFigures:
    """What all rules do on the rows of a task.

    Attributes:
        task: its name.
        metric: its metric.
        holdout_rows: how many rows a hold-out has.
        sequences: how many sequences were played.
        pushes: how many pushes each has.
        standard_error: of a model's metric on the hold-out.
        difference_error: the standard error of the difference between two models.
        seconds: how long one decision takes.
        rules: the figures of each rule.
    """

    task: str
    metric: str
    holdout_rows: int
    sequences: int
    pushes: int
    standard_error: float
    difference_error: float
    seconds: float
    rules: list[RuleFigures]


def of_task(
    population: Population, settings: Settings, sequences: list[Sequences]
) -> TaskFigures:
    """Return the figures of all rules."""
    error = standard_error(sequences)
    by_rule = []
    for rule in settings.rules:
        by_rule.append(_of_rule(rule, settings.pushes, sequences, error))
    differences = [np.median(each.comparison.error) for each in sequences]
    return TaskFigures(
        task=population.task.name,
        metric=population.task.metric.name,
        holdout_rows=population.holdout_rows,
        sequences=len(sequences),
        pushes=settings.pushes,
        standard_error=error,
        difference_error=float(np.mean(differences)),
        seconds=seconds_of_decision(population),
        rules=by_rule,
    )


def standard_error(sequences: list[Sequences]) -> float:
    """Return how much a model's metric varies between hold-outs."""
    luck = np.array([each.luck for each in sequences])
    by_champion = luck.reshape(-1, CHAMPIONS)
    variances = by_champion.var(axis=0)
    return float(np.sqrt(variances.mean()))


def _of_rule(
    rule: Rule, pushes: int, sequences: list[Sequences], error: float
) -> RuleFigures:
    has_gain = gains(pushes, size=1.0) > 0
    false_promotions = []
    luck = []
    luck_with_gains = []
    gains_found = []
    for each in sequences:
        without_gains = each.without_gains[rule.name]
        with_gains = each.with_gains[rule.name]
        false_promotions.append(without_gains.promoted.sum())
        luck.append(without_gains.luck[-1])
        luck_with_gains.append(with_gains.luck[-1])
        gains_found.append(with_gains.promoted[has_gain])
    has_false_promotion = np.array(false_promotions) > 0
    smallest = {}
    for place in PLACES:
        if place <= pushes:
            smallest[place] = smallest_gain(rule, sequences, place)
    return RuleFigures(
        rule=rule.name,
        with_false_promotion=float(np.mean(has_false_promotion)),
        false_promotions=float(np.mean(false_promotions)),
        optimism=float(np.mean(luck)) / error,
        optimism_with_gains=float(np.mean(luck_with_gains)) / error,
        gains_found=float(np.mean(gains_found)) if has_gain.any() else float("nan"),
        smallest_gain=smallest,
    )


def smallest_gain(rule: Rule, sequences: list[Sequences], place: int) -> float:
    """Return the gain of which 80 % are promoted at a place."""
    return float(np.quantile(needed_gains(rule, sequences, place), POWER))


def needed_gains(rule: Rule, sequences: list[Sequences], place: int) -> np.ndarray:
    """Return the gain that each challenger would have needed at a place, sorted."""
    needed = []
    for each in sequences:
        comparison: Comparison = each.comparison
        places = np.full(len(comparison.gain), place)
        needed.append(rule.needed(comparison, places))
    return np.sort(np.concatenate(needed))


def seconds_of_decision(population: Population) -> float:
    """Return how long the gate takes for one comparison with the champion."""
    rows = np.arange(population.holdout_rows) % len(population.truth)
    champion = population.predictions[0][rows]
    challenger = population.predictions[1][rows]
    began = time.perf_counter()
    gain.measure(population.task, population.truth[rows], champion, challenger)
    return time.perf_counter() - began
