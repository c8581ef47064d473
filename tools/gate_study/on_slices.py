"""How often the gate refuses a challenger for a slice on which it is as good."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipeline.publish.slice_check import FALSE_REFUSALS
from pipeline.train.slice_rows import LEAST, SliceRows
from tools.gate_study.holdout import (
    Comparison,
    KnownModels,
    compare,
    on_rows,
    resample_counts,
)
from tools.gate_study.population import Population
from tools.gate_study.scoring import scoring_of
from tools.gate_study.simulation import CHAMPIONS, Settings, challengers

Array = np.ndarray
# The most challengers that each champion meets on a hold-out.
CHALLENGERS = 100
# The share of the challengers that are refused at the loss that counts as noticed.
POWER = 0.8


@dataclass(frozen=True)
class GroupFigures:
    """What the check of one group does.

    Attributes:
        name: the slice and the group.
        rows: how many rows of a hold-out are in it, on average.
        refused: the share of the challengers that are refused for it though they are as
            good on it as the champion.
        loss: the true loss with which 80 % are refused, in units of the metric.
    """

    name: str
    rows: float
    refused: float
    loss: float


@dataclass(frozen=True)
class SliceFigures:
    """What the checks of all slices of a task do.

    Attributes:
        comparisons: how many challengers were compared with a champion.
        refused: the share of them that are refused for any group though they are as
            good on all groups.
        groups: the figures of each group.
    """

    comparisons: int
    refused: float
    groups: list[GroupFigures]


def study(
    population: Population, settings: Settings, advance: Callable[[], None]
) -> SliceFigures:
    """Draw hold-outs, and check equally good challengers on their slices.

    Args:
        population: the rows, the fitted models and the groups.
        settings: the size of the simulation.
        advance: called after each hold-out.
    """
    task = population.task
    count = CHAMPIONS + min(settings.pushes, CHALLENGERS)
    predictions = challengers(population, count)
    scoring = scoring_of(task, population.truth, predictions)
    models = KnownModels.of(task, scoring, len(population.truth))
    needed = []
    rows = []
    for seed in range(settings.holdouts):
        generator = np.random.default_rng(seed)
        drawn = generator.integers(0, models.rows, population.holdout_rows)
        of_groups = [DrawnGroup(models, group, drawn) for group in population.groups]
        needed.append([group.needed_losses(len(of_groups)) for group in of_groups])
        rows.append([len(group.rows) for group in of_groups])
        advance()
    return _figures(population.groups, np.array(needed), np.array(rows))


class DrawnGroup:
    """The rows of a hold-out that are in one group.

    Attributes:
        true: each model's metric on the group in the population, shape (models,).
        rows: the rows of the population that were drawn, shape (rows,).
    """

    def __init__(self, models: KnownModels, group: SliceRows, drawn: Array) -> None:
        """Take the group's rows.

        Args:
            models: the models.
            group: the group with its rows in the population.
            drawn: the rows of the hold-out.
        """
        once = np.ones((1, len(group.rows)))
        self.true: Array = models.scoring.score(group.rows, once)[:, 0]
        self._models = replace(models, true=self.true)
        self._may_lose = group.may_lose
        self.rows: Array = drawn[np.isin(drawn, group.rows)]

    def needed_losses(self, groups: int) -> Array:
        """Return with which true loss each challenger would be refused.

        Args:
            groups: how many groups the task has.

        Returns:
            Shape (champions x challengers,); not a number if the group is too small.
        """
        others = np.arange(CHAMPIONS, len(self._models.true))
        if len(self.rows) < LEAST:
            return np.full(CHAMPIONS * len(others), np.nan)
        holdout = on_rows(self._models, resample_counts(len(self.rows)), self.rows)
        needed = []
        for champion in range(CHAMPIONS):
            comparison = compare(holdout, champion, others, np.zeros(len(others)))
            needed.append(self._needed(comparison, groups))
        return np.concatenate(needed)

    def _needed(self, comparison: Comparison, groups: int) -> Array:
        limit = stats.t.isf(FALSE_REFUSALS / groups, comparison.rows - 1)
        noticed = np.maximum(self._may_lose, limit * comparison.error)
        # A challenger that is lucky on the group needs a larger loss.
        needed: Array = noticed + comparison.gain
        return needed


def _figures(groups: list[SliceRows], needed: Array, rows: Array) -> SliceFigures:
    """Return the figures.

    Args:
        groups: the groups.
        needed: shape (holdouts, groups, comparisons).
        rows: shape (holdouts, groups).
    """
    is_refused = needed < 0
    of_groups = []
    for number, group in enumerate(groups):
        one = GroupFigures(
            name=f"{group.slice}: {group.group}",
            rows=float(rows[:, number].mean()),
            refused=float(is_refused[:, number].mean()),
            loss=float(np.nanquantile(needed[:, number], POWER)),
        )
        of_groups.append(one)
    refused = is_refused.any(axis=1)
    return SliceFigures(refused.size, float(refused.mean()), of_groups)
