"""Candidates: each algorithm is cross-validated, fitted and evaluated in parallel."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.manifest import Parity
from pipeline.params import Parameters
from pipeline.schema import Task
from pipeline.train import units
from pipeline.train.backend import Backend, LocalBackend
from pipeline.train.training_data import TrainingData
from pipeline.train.units import FinalFit, Outcome, Unit

# Called with each unit of work that is done.
Report = Callable[[Unit, Outcome], None]


@dataclass(frozen=True)
class Candidate:
    """One algorithm, fitted and evaluated.

    Attributes:
        algorithm: its name.
        parameters: its hyperparameters.
        folds: the task's metric in each fold.
        cross_validation: `<metric>_mean` of all metrics, and `_std` of the task's.
        holdout: all metrics on the hold-out.
        groups: the metric on each group of the slices, and the figures of fairness, by
            their names in MLflow.
        onnx: the ONNX file, fitted on all training rows.
        parity: how the ONNX file agrees with the estimator.
        importance: how much worse the metric gets when a feature is shuffled: mean and
            standard deviation, shape (features, 2).
        fit_seconds: how long it took to fit on all training rows.
        latency_ms: the time of one row on one thread.
        out_of_fold: of a regression, the predictions for the training rows, each by the
            fold that was not fitted on the row, and the true values, shape (rows, 2).
    """

    algorithm: str
    parameters: Parameters
    folds: list[float]
    cross_validation: dict[str, float]
    holdout: dict[str, float]
    groups: dict[str, float]
    onnx: bytes
    parity: Parity
    importance: np.ndarray
    fit_seconds: float
    latency_ms: float
    out_of_fold: np.ndarray | None = None

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics by their names in MLflow.

        They are `cv_<metric>_mean`, `holdout_<metric>`, and those of `groups`.
        """
        metrics = {}
        for name, value in self.cross_validation.items():
            metrics[f"cv_{name}"] = value
        for name, value in self.holdout.items():
            metrics[f"holdout_{name}"] = value
        return metrics | self.groups


@dataclass(frozen=True)
class Failure:
    """One algorithm that could not be fitted or evaluated, and why."""

    algorithm: str
    parameters: Parameters
    reason: str


def fit_all(
    data: TrainingData,
    candidates: dict[str, Parameters],
    backend: Backend | None = None,
    report: Report = lambda unit, outcome: None,
) -> Iterator[Candidate | Failure]:
    """Yield the candidates in order, each as soon as it is evaluated.

    Args:
        data: the rows and settings of all candidates.
        candidates: the hyperparameters by algorithm.
        backend: where the units of work are done; by default on this machine.
        report: called with each unit that is done, in their order.

    Raises:
        PipelineError: there are too few rows, or the backend fails.
    """
    data.split()  # it refuses too few rows
    work = units.units_of(candidates, data.folds)
    backend = backend or LocalBackend(len(data.train))
    outcomes = backend.map(units.run, data, work)
    of_candidate: list[Outcome] = []
    for unit, outcome in zip(work, outcomes, strict=True):
        report(unit, outcome)
        of_candidate.append(outcome)
        is_last = unit.fold is None
        if is_last:
            yield _combine(data.task, unit, of_candidate)
            of_candidate = []


def _combine(task: Task, unit: Unit, outcomes: list[Outcome]) -> Candidate | Failure:
    """Return a candidate from all its units; the first that failed is its failure."""
    by_fold = []
    out_of_fold = []
    final = None
    for outcome in outcomes:
        if outcome.failure:
            return Failure(unit.algorithm, unit.parameters, outcome.failure)
        if outcome.final:
            final = outcome.final
        else:
            by_fold.append(outcome.metrics)
        if outcome.out_of_fold is not None:
            out_of_fold.append(outcome.out_of_fold)
    assert final
    return _candidate(task, unit, by_fold, out_of_fold, final)


def _candidate(
    task: Task,
    unit: Unit,
    by_fold: list[dict[str, float]],
    out_of_fold: list[np.ndarray],
    final: FinalFit,
) -> Candidate:
    metric = task.metric.name
    return Candidate(
        algorithm=unit.algorithm,
        parameters=unit.parameters,
        folds=[metrics[metric] for metrics in by_fold],
        cross_validation=_summary(metric, by_fold),
        holdout=final.holdout,
        groups=final.groups,
        onnx=final.onnx,
        parity=final.parity,
        importance=final.importance,
        fit_seconds=final.fit_seconds,
        latency_ms=final.latency_ms,
        out_of_fold=np.concatenate(out_of_fold) if out_of_fold else None,
    )


def _summary(metric: str, by_fold: list[dict[str, float]]) -> dict[str, float]:
    """Return the means of the folds, and the spread of the task's metric."""
    summary = {}
    for name in by_fold[0]:
        values = [metrics[name] for metrics in by_fold]
        mean = np.mean(values)
        summary[f"{name}_mean"] = float(mean)
    of_task = [metrics[metric] for metrics in by_fold]
    spread = np.std(of_task, ddof=1)
    summary[f"{metric}_std"] = float(spread)
    return summary


def best(task: Task, candidates: list[Candidate | Failure]) -> Candidate | None:
    """Return the candidate with the best mean of its folds; the first of equals."""
    fitted = [entry for entry in candidates if isinstance(entry, Candidate)]
    sign = units.sign(task)

    def quality(candidate: Candidate) -> float:
        mean = float(np.mean(candidate.folds))
        return sign * mean

    return max(fitted, key=quality, default=None)
