"""Computes trials in batches: fold after fold, so that some can be pruned.

The size of a batch does not depend on the number of cores, and so neither do the
results.
"""

from collections.abc import Callable
from typing import Any

from pipeline.schema import Task
from pipeline.search.study import SearchStudy
from pipeline.search.trial import COMPLETE, FAILED, PRUNED, Trial
from pipeline.train import units
from pipeline.train.backend import Backend
from pipeline.train.training_data import TrainingData
from pipeline.train.units import Outcome, Unit

BATCH = 4
# Called with each trial that has ended.
Report = Callable[[Trial], None]


class _Running:
    """A trial that has not ended."""

    def __init__(
        self, number: int, sampled: dict[str, Any], study: SearchStudy
    ) -> None:
        self.number = number
        self.sampled = sampled
        self.parameters = study.parameters(sampled)
        self.folds: list[float] = []
        self.seconds = 0.0
        self.state = ""
        self.failure = ""

    def take(self, task: Task, outcome: Outcome) -> None:
        """Take the outcome of the next fold."""
        self.seconds += outcome.seconds
        if outcome.failure:
            self.state = FAILED
            self.failure = outcome.failure
        else:
            self.folds.append(outcome.metrics[task.metric.name])

    def end(self) -> Trial:
        """Return the trial."""
        state = self.state or COMPLETE
        content = vars(self) | {"state": state}
        return Trial.model_validate(content)


def run_batch(
    data: TrainingData,
    algorithm: str,
    study: SearchStudy,
    count: int,
    backend: Backend,
    report: Report,
) -> None:
    """Compute the next trials of a study on the folds of the training rows.

    The rows that are held out take no part.

    Args:
        data: the rows and folds.
        algorithm: the algorithm of the study.
        study: the study, which gets the trials.
        count: how many trials there are still to be; at most `BATCH` are computed.
        backend: where the folds are computed.
        report: called with each trial.
    """
    first = len(study.trials)
    batch = []
    for place, sampled in enumerate(study.suggest(min(count, BATCH))):
        batch.append(_Running(first + place, sampled, study))
    for fold in range(data.folds):
        running = [trial for trial in batch if not trial.state]
        work = [Unit(algorithm, trial.parameters, fold) for trial in running]
        outcomes = backend.map(units.run, data, work)
        for trial, outcome in zip(running, outcomes, strict=True):
            trial.take(data.task, outcome)
            is_last = fold == data.folds - 1
            if trial.state or is_last:
                continue
            if study.is_hopeless(trial.sampled, trial.folds):
                trial.state = PRUNED
    for trial in batch:
        ended = trial.end()
        study.add(ended)
        report(ended)
