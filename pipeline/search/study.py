"""A study: suggests parameters, and learns from the trials so far (Optuna).

Which parameters a trial gets depends on the trials before it alone, so that a study
that was interrupted goes on as if it had not been.
"""

from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from pipeline.params import Parameters
from pipeline.search.trial import COMPLETE, FAILED, PRUNED, Trial
from pipeline.search_settings import Dimension, Range, Search, Space

# Trials that are drawn at random before the sampler uses what it has learnt, and that
# complete before the pruner ends one.
RANDOM_TRIALS = 10
DIGITS = 4
_STATES = {
    COMPLETE: TrialState.COMPLETE,
    PRUNED: TrialState.PRUNED,
    FAILED: TrialState.FAIL,
}


class SearchStudy:
    """The trials of one algorithm so far, and the choice of the next."""

    def __init__(
        self,
        space: Space,
        base: Parameters,
        settings: Search,
        higher_is_better: bool,
        seed: int,
    ) -> None:
        """Begin a study.

        Args:
            space: the dimensions.
            base: the candidate's parameters in `params.yaml`, which are tried first.
            settings: the section `search`.
            higher_is_better: the direction of the task's metric.
            seed: the seed of the sampler.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._base = base
        self._seed = seed
        self._sign = 1 if higher_is_better else -1
        self._space = {name: _distribution(entry) for name, entry in space.items()}
        pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
        if settings.pruner == "median":
            pruner = optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS)
        self._study = optuna.create_study(direction="maximize", pruner=pruner)
        self.trials: list[Trial] = []

    @property
    def best(self) -> Trial | None:
        """The complete trial with the best mean; the first of equals."""
        complete = self._complete()
        return max(complete, key=self._quality, default=None)

    def by_quality(self) -> list[Trial]:
        """Return the complete trials, the best first."""
        complete = self._complete()
        return sorted(complete, key=self._quality, reverse=True)

    def _complete(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.state == COMPLETE]

    def _quality(self, trial: Trial) -> float:
        """Return the mean of a complete trial; more is better."""
        return trial.mean * self._sign

    def add(self, trial: Trial) -> None:
        """Add a trial that has ended."""
        value = None
        if trial.state == COMPLETE:
            value = self._quality(trial)
        frozen = optuna.trial.create_trial(
            state=_STATES[trial.state],
            value=value,
            params=dict(trial.sampled),
            distributions=dict(self._space),
            intermediate_values=dict(enumerate(self._means(trial.folds))),
        )
        self._study.add_trial(frozen)
        self.trials.append(trial)

    def suggest(self, count: int) -> list[dict[str, Any]]:
        """Return the values of the next trials' dimensions.

        The first trial of a study has those of `params.yaml`.
        """
        number = len(self.trials)
        suggestions = [] if number else self._first()
        # A copy, as trials that are asked for and never ended would stay in the study.
        asked = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(
                seed=self._seed + number,
                n_startup_trials=RANDOM_TRIALS,
                multivariate=True,
                constant_liar=True,
            ),
        )
        asked.add_trials(self._study.get_trials(deepcopy=False))
        while len(suggestions) < count:
            trial = asked.ask(self._space)
            suggestions.append(dict(trial.params))
        return suggestions

    def parameters(self, sampled: dict[str, Any]) -> Parameters:
        """Return a candidate's parameters with the values of the dimensions."""
        values = {}
        for name, value in sampled.items():
            if isinstance(value, float):
                value = float(f"{value:.{DIGITS}g}")
            values[name] = value
        return self._base | values

    def is_hopeless(self, sampled: dict[str, Any], folds: list[float]) -> bool:
        """Return whether the pruner ends a trial after some folds."""
        trial = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=sampled,
            distributions=dict(self._space),
            intermediate_values=dict(enumerate(self._means(folds))),
        )
        return bool(self._study.pruner.prune(self._study, trial))

    def _means(self, folds: list[float]) -> list[float]:
        """Return the mean after each fold; more is better."""
        means = []
        for count in range(1, len(folds) + 1):
            mean = fmean(folds[:count])
            means.append(self._sign * mean)
        return means

    def _first(self) -> list[dict[str, Any]]:
        """Return the values of `params.yaml`, unless one is missing or not allowed."""
        try:
            values = {name: self._base[name] for name in self._space}
            optuna.trial.create_trial(
                value=0, params=values, distributions=dict(self._space)
            )
        except (KeyError, ValueError):
            return []
        return [values]


def _distribution(dimension: Dimension) -> BaseDistribution:
    if not isinstance(dimension, Range):
        return CategoricalDistribution(dimension)
    low, high = dimension.low, dimension.high
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=dimension.log)
    return FloatDistribution(low, high, log=dimension.log)
