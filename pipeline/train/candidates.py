"""Candidates: each algorithm is cross-validated, fitted and evaluated, over all cores."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.inspection import permutation_importance
from sklearn.model_selection import cross_validate
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core.errors import PipelineError
from core.manifest import Parity
from core.onnx_model import OnnxModel
from pipeline.params import Parameters
from pipeline.schema import Task
from pipeline.train import estimators, evaluate, export
from pipeline.train.training_data import Folds, TrainingData

IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Candidate:
    """One algorithm, fitted and evaluated.

    Attributes:
        algorithm: its name.
        parameters: its hyperparameters.
        folds: the task's metric in each fold.
        cross_validation: `<metric>_mean` of all metrics, and `_std` of the task's.
        holdout: all metrics on the hold-out.
        onnx: the ONNX file, fitted on all training rows.
        parity: how the ONNX file agrees with the estimator.
        importance: how much worse the metric gets when a feature is shuffled: mean and
            standard deviation, shape (features, 2).
        fit_seconds: how long it took to fit on all training rows.
        latency_ms: the time of one row on one thread.
    """

    algorithm: str
    parameters: Parameters
    folds: list[float]
    cross_validation: dict[str, float]
    holdout: dict[str, float]
    onnx: bytes
    parity: Parity
    importance: np.ndarray
    fit_seconds: float
    latency_ms: float

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics by their names in MLflow: `cv_<metric>_mean`, `holdout_<metric>`."""
        metrics = {}
        for name, value in self.cross_validation.items():
            metrics[f"cv_{name}"] = value
        for name, value in self.holdout.items():
            metrics[f"holdout_{name}"] = value
        return metrics


@dataclass(frozen=True)
class Failure:
    """One algorithm that could not be fitted or evaluated, and why."""

    algorithm: str
    parameters: Parameters
    reason: str


def fit_all(
    data: TrainingData, candidates: dict[str, Parameters]
) -> Iterator[Candidate | Failure]:
    """Yield the candidates in order, each as soon as it is evaluated.

    Raises:
        PipelineError: there are too few rows.
    """
    folds = data.split()
    jobs = []
    for algorithm, parameters in candidates.items():
        fit = _Fit(data, folds, algorithm, parameters)
        jobs.append(delayed(_guarded)(fit))
    yield from Parallel(n_jobs=-1, return_as="generator")(jobs)


def best(task: Task, candidates: list[Candidate | Failure]) -> Candidate | None:
    """Return the candidate with the best mean of its folds; the first of equals."""
    fitted = [entry for entry in candidates if isinstance(entry, Candidate)]
    sign = _sign(task)

    def quality(candidate: Candidate) -> float:
        mean = float(np.mean(candidate.folds))
        return sign * mean

    return max(fitted, key=quality, default=None)


def _sign(task: Task) -> int:
    """Return 1 if more of the task's metric is better, else -1."""
    if task.metric.higher_is_better:
        return 1
    return -1


def _guarded(fit: "_Fit") -> Candidate | Failure:
    """Return a candidate; an exception of any kind is the failure of this one alone."""
    try:
        # One thread for each fit: sums of floats depend on how threads share them, and
        # the same inputs must give the same bytes on any number of cores.
        with threadpool_limits(limits=1):
            return fit.candidate()
    except Exception as error:
        message = str(error).strip()
        reason = message.partition("\n")[0]
        if not isinstance(error, PipelineError):
            reason = f"{type(error).__name__}: {reason}"
        return Failure(fit.algorithm, fit.parameters, reason)


@dataclass(frozen=True)
class _Fit:
    """The work on one candidate."""

    data: TrainingData
    folds: Folds
    algorithm: str
    parameters: Parameters

    def candidate(self) -> Candidate:
        """Cross-validate, fit on all training rows, evaluate the ONNX file."""
        data = self.data
        task = data.task
        pipeline = estimators.build(
            task.kind,
            self.algorithm,
            self.parameters,
            data.features,
            data.seed,
        )
        inputs = estimators.as_inputs(data.features, data.train)
        truth = evaluate.encode(task, data.train)
        by_fold = self._cross_validate(pipeline, inputs, truth)
        start = time.perf_counter()
        pipeline.fit(inputs, truth)
        fit_seconds = time.perf_counter() - start
        content = export.to_onnx(task, data.features, pipeline)
        model = OnnxModel(content)
        held_out = estimators.as_inputs(data.features, data.holdout)
        prediction = model.predict(held_out)
        return Candidate(
            algorithm=self.algorithm,
            parameters=self.parameters,
            folds=by_fold[task.metric.name].tolist(),
            cross_validation=self._summary(by_fold),
            holdout=evaluate.metrics(task, data.truth, prediction),
            onnx=content,
            parity=export.parity(task, pipeline, model, held_out),
            importance=self._importance(pipeline, held_out),
            fit_seconds=fit_seconds,
            latency_ms=round(export.latency_ms(model, held_out), 3),
        )

    def _cross_validate(
        self,
        pipeline: Pipeline,
        inputs: pd.DataFrame,
        truth: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Return all metrics of the folds, each of shape (folds,)."""
        scores = cross_validate(
            pipeline,
            inputs,
            truth,
            cv=self.folds,
            scoring=self._metrics,
            error_score="raise",
        )
        names = evaluate.METRICS[self.data.task.kind]
        return {name: scores[f"test_{name}"] for name in names}

    def _summary(self, by_fold: dict[str, np.ndarray]) -> dict[str, float]:
        """Return the means of the folds, and the spread of the task's metric."""
        summary = {}
        for name, values in by_fold.items():
            mean = np.mean(values)
            summary[f"{name}_mean"] = float(mean)
        metric = self.data.task.metric.name
        spread = np.std(by_fold[metric], ddof=1)
        summary[f"{metric}_std"] = float(spread)
        return summary

    def _importance(self, pipeline: Pipeline, inputs: pd.DataFrame) -> np.ndarray:
        """Return the permutation importance on the hold-out, shape (features, 2)."""
        result = permutation_importance(
            pipeline,
            inputs,
            self.data.truth,
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
        return metrics[task.metric.name] * _sign(task)
