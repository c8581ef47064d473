"""The units of work of a training: one fold of a candidate, or its fit on all rows.

A unit depends on its arguments alone: it gives the same result in any process of any
machine, so that folds of one candidate can be computed at the same time.
"""

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.inspection import permutation_importance
from sklearn.pipeline import Pipeline

from core.errors import PipelineError
from core.manifest import Parity
from core.onnx_model import OnnxModel
from pipeline.params import Parameters
from pipeline.schema import Kind, Task
from pipeline.train import estimators, evaluate, export, fairness, slice_metrics
from pipeline.train.one_thread import one_thread
from pipeline.train.training_data import TrainingData

IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Unit:
    """One unit of work on a candidate.

    Attributes:
        algorithm: the candidate's name.
        parameters: its hyperparameters.
        fold: the number of the fold, from 0; None for the fit on all training rows.
    """

    algorithm: str
    parameters: Parameters
    fold: int | None

    def __str__(self) -> str:
        if self.fold is None:
            return f"{self.algorithm}, final fit"
        return f"{self.algorithm}, fold {self.fold + 1}"


@dataclass(frozen=True)
class FinalFit:
    """A candidate that was fitted on all training rows; see `Candidate`."""

    holdout: dict[str, float]
    groups: dict[str, float]
    onnx: bytes
    parity: Parity
    importance: np.ndarray
    fit_seconds: float
    latency_ms: float


@dataclass(frozen=True)
class Outcome:
    """What became of a unit.

    Attributes:
        seconds: how long it took.
        metrics: all metrics of a fold, by name.
        out_of_fold: of a regression's fold, the predictions for the rows that were not
            fitted on, and the true values, shape (rows, 2).
        final: the result of the fit on all training rows.
        failure: why there is no result; empty if there is one.
    """

    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)
    final: FinalFit | None = None
    failure: str = ""
    out_of_fold: np.ndarray | None = None


def units_of(candidates: dict[str, Parameters], folds: int) -> list[Unit]:
    """Return the units of each candidate in turn: its folds, then the final fit."""
    units = []
    for algorithm, parameters in candidates.items():
        for fold in range(folds):
            units.append(Unit(algorithm, parameters, fold))
        units.append(Unit(algorithm, parameters, None))
    return units


def sign(task: Task) -> int:
    """Return 1 if more of the task's metric is better, else -1."""
    if task.metric.higher_is_better:
        return 1
    return -1


def run(data: TrainingData, unit: Unit) -> Outcome:
    """Do a unit of work; an exception of any kind is this unit's failure alone."""
    start = time.perf_counter()
    metrics: dict[str, float] = {}
    out_of_fold = None
    final = None
    failure = ""
    try:
        with one_thread():
            work = _Work(data, unit)
            if unit.fold is None:
                final = work.final_fit()
            else:
                metrics, out_of_fold = work.cross_validate(unit.fold)
    except Exception as error:
        failure = _reason(error)
    seconds = time.perf_counter() - start
    return Outcome(seconds, metrics, final, failure, out_of_fold)


def _reason(error: Exception) -> str:
    """Return the first line of an error's message, with its kind unless it is ours."""
    message = str(error).strip()
    reason = message.partition("\n")[0]
    if isinstance(error, PipelineError):
        return reason
    return f"{type(error).__name__}: {reason}"


class _Work:
    """The data of a unit as its estimator takes them."""

    def __init__(self, data: TrainingData, unit: Unit) -> None:
        self.data = data
        self.pipeline = estimators.build(
            data.task.kind,
            unit.algorithm,
            unit.parameters,
            data.features,
            data.seed,
            data.derived,
        )
        self.inputs = estimators.as_inputs(data.features, data.train)
        self.truth = evaluate.encode(data.task, data.train)

    def cross_validate(self, fold: int) -> tuple[dict[str, float], np.ndarray | None]:
        """Return all metrics of one fold by name, and `Outcome.out_of_fold`."""
        task = self.data.task
        fitted_on, left_out = self.data.split()[fold]
        self.pipeline.fit(self.inputs.iloc[fitted_on], self.truth[fitted_on])
        inputs = self.inputs.iloc[left_out]
        truth = self.truth[left_out]
        prediction = export.predict_with_sklearn(task, self.pipeline, inputs)
        metrics = evaluate.metrics(task, truth, prediction)
        if task.kind is Kind.CLASSIFICATION:
            return metrics, None
        return metrics, np.column_stack([prediction, truth])

    def final_fit(self) -> FinalFit:
        """Fit on all training rows, and evaluate the ONNX file on the hold-out."""
        data = self.data
        task = data.task
        start = time.perf_counter()
        self.pipeline.fit(self.inputs, self.truth)
        fit_seconds = time.perf_counter() - start
        content = export.to_onnx(task, data.features, self.pipeline)
        model = OnnxModel(content)
        held_out = estimators.as_inputs(data.features, data.holdout)
        prediction = model.predict(held_out)
        latency_ms = export.latency_ms(model, held_out)
        sampled = estimators.as_inputs(data.features, data.sampled)
        return FinalFit(
            holdout=evaluate.metrics(task, data.truth, prediction),
            groups=self._on_groups(prediction),
            onnx=content,
            parity=export.parity(task, self.pipeline, model, sampled),
            importance=self._importance(sampled),
            fit_seconds=fit_seconds,
            latency_ms=round(latency_ms, 3),
        )

    def _on_groups(self, prediction: np.ndarray) -> dict[str, float]:
        """Return the metrics on the task's slices, and those of fairness, by name."""
        task = self.data.task
        holdout = self.data.holdout
        on_slices = slice_metrics.by_name(task, holdout, prediction)
        return on_slices | fairness.by_name(task, holdout, prediction)

    def _importance(self, sampled: pd.DataFrame) -> np.ndarray:
        """Return the permutation importance on rows held out, shape (features, 2)."""
        truth = evaluate.encode(self.data.task, self.data.sampled)
        result = permutation_importance(
            self.pipeline,
            sampled,
            truth,
            scoring=self._gain,
            n_repeats=IMPORTANCE_REPEATS,
            random_state=self.data.seed,
        )
        columns = [result.importances_mean, result.importances_std]
        return np.column_stack(columns)

    def _metrics(
        self,
        fitted: Pipeline,
        inputs: pd.DataFrame,
        truth: np.ndarray,
    ) -> dict[str, float]:
        """Return all metrics of an estimator; a scorer of scikit-learn."""
        task = self.data.task
        prediction = export.predict_with_sklearn(task, fitted, inputs)
        return evaluate.metrics(task, truth, prediction)

    def _gain(self, fitted: Pipeline, inputs: pd.DataFrame, truth: np.ndarray) -> float:
        """Return the task's metric, negative where less is better."""
        task = self.data.task
        metrics = self._metrics(fitted, inputs, truth)
        return metrics[task.metric.name] * sign(task)
