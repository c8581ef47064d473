"""The figures of a rule, from all sequences of a task."""

import time
from dataclasses import dataclass

import numpy as np

from pipeline.publish import gain
from tools.gate_study.on_slices import SliceFigures
from tools.gate_study.population import Population
from tools.gate_study.power import PLACES
from tools.gate_study.rules import Rule
from tools.gate_study.sequence import Course
from tools.gate_study.simulation import Reign, Settings, brings_gain

Simulated = list[list[Reign]]  # by hold-out
# The share of the challengers that are promoted at the smallest gain that counts as
# found.
POWER = 0.8


@dataclass(frozen=True)
class Sequences:
    """What a rule does in sequences of pushes.

    Attributes:
        with_false_promotion: the share of the sequences in which at least one
            challenger without a true gain was promoted.
        false_promotions: how many were promoted in a sequence, on average.
        optimism: how much better than it is the model in service seems to be on the
            hold-out at the end, in standard errors of its metric there.
        corrected_optimism: the same of the corrected metric in the card.
    """

    with_false_promotion: float
    false_promotions: float
    optimism: float
    corrected_optimism: float


@dataclass(frozen=True)
class RuleFigures:
    """What a rule does.

    Attributes:
        rule: its name.
        no_better: in sequences of challengers that are truly no better.
        equal: in sequences of challengers that are exactly as good.
        with_gains: in sequences in which every 50th push brings a true gain.
        gains_found: the share of these gains that were promoted.
        smallest_gain: the true gain of which 80 % are promoted, in units of the metric,
            by the place of the challenger among those of its champion; None if 80 % are
            promoted at no gain.
    """

    rule: str
    no_better: Sequences
    equal: Sequences
    with_gains: Sequences
    gains_found: float
    smallest_gain: dict[int, float | None]


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
        slices: what the checks of the task's slices do, if it has any.
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
    slices: SliceFigures | None = None


def of_task(
    population: Population, settings: Settings, simulated: Simulated
) -> TaskFigures:
    """Return the figures of all rules."""
    reigns = all_reigns(simulated)
    error = standard_error(simulated)
    by_rule = []
    for rule in settings.rules:
        by_rule.append(_of_rule(rule, settings.pushes, reigns, error))
    differences = [reign.error for reign in reigns]
    return TaskFigures(
        task=population.task.name,
        metric=population.task.metric.name,
        holdout_rows=population.holdout_rows,
        sequences=len(reigns),
        pushes=settings.pushes,
        standard_error=error,
        difference_error=float(np.mean(differences)),
        seconds=seconds_of_decision(population),
        rules=by_rule,
    )


def all_reigns(simulated: Simulated) -> list[Reign]:
    """Return the first champions of all hold-outs."""
    reigns = []
    for of_holdout in simulated:
        reigns += of_holdout
    return reigns


def standard_error(simulated: Simulated) -> float:
    """Return how much a model's metric varies between hold-outs."""
    luck = []
    for of_holdout in simulated:
        luck.append([reign.luck for reign in of_holdout])
    variances = np.var(luck, axis=0)
    return float(np.sqrt(variances.mean()))


def _of_rule(rule: Rule, pushes: int, reigns: list[Reign], error: float) -> RuleFigures:
    is_gain = brings_gain(pushes)
    with_gains = [reign.with_gains[rule.name] for reign in reigns]
    gains_found = [course.promoted[is_gain] for course in with_gains]
    smallest = {}
    for place in PLACES:
        if place <= pushes:
            smallest[place] = smallest_gain(rule, reigns, place)
    return RuleFigures(
        rule=rule.name,
        no_better=_of([reign.no_better[rule.name] for reign in reigns], error),
        equal=_of([reign.equal[rule.name] for reign in reigns], error),
        with_gains=_of(with_gains, error, is_gain),
        gains_found=float(np.mean(gains_found)) if is_gain.any() else 0.0,
        smallest_gain=smallest,
    )


def _of(
    courses: list[Course], error: float, is_gain: np.ndarray | None = None
) -> Sequences:
    """Return the figures of sequences.

    Args:
        courses: what became of the pushes.
        error: the standard error of the metric.
        is_gain: which pushes brought a true gain; None if none did.
    """
    counts = []
    for course in courses:
        promoted = course.promoted
        if is_gain is not None:
            promoted = promoted[~is_gain]
        counts.append(int(promoted.sum()))
    luck = [course.luck[-1] for course in courses]
    corrected = [course.corrected[-1] for course in courses]
    with_one = [count > 0 for count in counts]
    return Sequences(
        with_false_promotion=float(np.mean(with_one)),
        false_promotions=float(np.mean(counts)),
        optimism=float(np.mean(luck)) / error,
        corrected_optimism=float(np.mean(corrected)) / error,
    )


def smallest_gain(rule: Rule, reigns: list[Reign], place: int) -> float | None:
    """Return the gain of which 80 % are promoted at a place, if there is one."""
    gain = gain_by_share(rule, reigns, place, POWER)
    return float(gain) if np.isfinite(gain) else None


def gain_by_share(
    rule: Rule, reigns: list[Reign], place: int, shares: np.ndarray | float
) -> np.ndarray:
    """Return the gain of which a share is promoted; infinite where none is enough."""
    needed = [reign.needed[rule.name][place] for reign in reigns]
    gains: np.ndarray = np.quantile(
        np.concatenate(needed), shares, method="inverted_cdf"
    )
    return gains


def seconds_of_decision(population: Population) -> float:
    """Return how long the gate takes for one comparison with the champion."""
    rows = np.arange(population.holdout_rows) % len(population.truth)
    champion = population.predictions[0][rows]
    challenger = population.predictions[1][rows]
    began = time.perf_counter()
    gain.measure(population.task, population.truth[rows], champion, challenger)
    return time.perf_counter() - began
