"""Fitting: every candidate in cross-validation and on all training rows, over all
cores.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core.errors import PipelineError
from core.onnx_model import OnnxModel
from pipeline.bundle import Judged
from pipeline.params import Parameters
from pipeline.schema import Feature, Kind, Task
from pipeline.train import estimators, evaluate, export

Folds = list[tuple[np.ndarray, np.ndarray]]

IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Study:
    """One task's data and settings: what every candidate is given alike.

    `train` and `holdout` are tables of the task's columns; `features` are those that
    are used.
    """

    task: Task
    features: list[Feature]
    train: pd.DataFrame
    holdout: pd.DataFrame
    folds: int
    seed: int

    @property
    def truth(self) -> np.ndarray:
        """The hold-out's true values as numbers, shape (rows,); see `evaluate.encode`."""
        return evaluate.encode(self.task, self.holdout)


class Candidate(Judged, arbitrary_types_allowed=True):
    """One algorithm, judged; `folds` is the task's metric in each fold.

    `importance` is, for each feature, how much worse the metric gets when it is
    shuffled: mean and standard deviation, shape (features, 2).
    """

    parameters: Parameters
    folds: list[float]
    onnx: bytes
    importance: np.ndarray
    fit_seconds: float

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics as MLflow is told them: `cv_<metric>_mean`, `holdout_<metric>`, …"""
        cv = {f"cv_{name}": value for name, value in self.cross_validation.items()}
        return cv | {f"holdout_{name}": value for name, value in self.holdout.items()}


@dataclass(frozen=True)
class Failure:
    """One algorithm that could not be fitted or judged, and why."""

    algorithm: str
    parameters: Parameters
    reason: str


def split(study: Study) -> Folds:
    """Return the folds of the training rows as pairs of row numbers, to fit and to
    judge.

    Raises:
        PipelineError: there are fewer rows, or rows of one class, than folds.
    """
    task, target = study.task, study.train[study.task.target.name]
    classes = task.target.classes
    fewest = min((int((target == name).sum()) for name in classes), default=len(target))
    held = set(study.holdout[task.target.name])
    if fewest < study.folds or not held.issuperset(classes) or len(study.holdout) < 2:
        kind = "of one class " if classes else ""
        raise PipelineError(
            f"{task.name}: {fewest} rows {kind}to train on and {len(study.holdout)}"
            f" held out are too few for {study.folds} folds and a hold-out with every"
            " class: bring more rows, or change folds or holdout_share in params.yaml."
        )
    kind_of_folds = KFold if task.kind is Kind.REGRESSION else StratifiedKFold
    folds = kind_of_folds(study.folds, shuffle=True, random_state=study.seed)
    return list(folds.split(study.train, target))


def fit_all(
    study: Study, candidates: dict[str, Parameters]
) -> Iterator[Candidate | Failure]:
    """Yield the candidates in order, each as soon as it is judged."""
    folds = split(study)
    jobs = [
        delayed(_guarded)(study, folds, *candidate) for candidate in candidates.items()
    ]
    yield from Parallel(n_jobs=-1, return_as="generator")(jobs)


def best(task: Task, candidates: list[Candidate | Failure]) -> Candidate | None:
    """Return the candidate with the best mean in cross-validation; the first of equals."""
    judged = [candidate for candidate in candidates if isinstance(candidate, Candidate)]
    sign = -1 if task.metric.higher_is_better else 1
    return min(
        judged, key=lambda candidate: sign * np.mean(candidate.folds), default=None
    )


def _guarded(
    study: Study, folds: Folds, algorithm: str, parameters: Parameters
) -> Candidate | Failure:
    """Judge a candidate; whatever an estimator raises is its failure, and not the
    run's.
    """
    try:
        # One thread a fit: sums of floats depend on how they are shared among threads,
        # and the same inputs must give the same bytes on a machine with any number of
        # cores.
        with threadpool_limits(limits=1):
            return _judge(study, folds, algorithm, parameters)
    except Exception as error:
        kind = "" if isinstance(error, PipelineError) else f"{type(error).__name__}: "
        return Failure(
            algorithm, parameters, kind + str(error).strip().partition("\n")[0]
        )


def _judge(
    study: Study, folds: Folds, algorithm: str, parameters: Parameters
) -> Candidate:
    """Cross-validate; then fit on all training rows, and judge the ONNX file on the
    hold-out.
    """
    task, metric = study.task, study.task.metric
    pipeline = estimators.build(
        task.kind, algorithm, parameters, study.features, study.seed
    )
    inputs = estimators.as_inputs(study.features, study.train)
    truth = evaluate.encode(task, study.train)

    def judge(
        fitted: Pipeline, inputs: pd.DataFrame, truth: np.ndarray
    ) -> dict[str, float]:
        return evaluate.metrics(
            task, truth, export.predict_with_sklearn(task, fitted, inputs)
        )

    def gain(fitted: Pipeline, inputs: pd.DataFrame, truth: np.ndarray) -> float:
        return judge(fitted, inputs, truth)[metric.name] * (
            1 if metric.higher_is_better else -1
        )

    found = cross_validate(
        pipeline, inputs, truth, cv=folds, scoring=judge, error_score="raise"
    )
    values = {name: found[f"test_{name}"] for name in evaluate.METRICS[task.kind]}
    spread = {f"{metric.name}_std": float(np.std(values[metric.name], ddof=1))}
    start = time.perf_counter()
    pipeline.fit(inputs, truth)
    seconds = time.perf_counter() - start
    content = export.to_onnx(task, study.features, pipeline)
    model, inputs = OnnxModel(content), estimators.as_inputs(
        study.features, study.holdout
    )
    repeats = {"n_repeats": IMPORTANCE_REPEATS, "random_state": study.seed}
    loss = permutation_importance(
        pipeline, inputs, study.truth, scoring=gain, **repeats
    )
    return Candidate(
        algorithm=algorithm,
        parameters=parameters,
        folds=values[metric.name].tolist(),
        cross_validation={f"{n}_mean": float(np.mean(v)) for n, v in values.items()}
        | spread,
        holdout=evaluate.metrics(task, study.truth, model.predict(inputs)),
        onnx=content,
        parity=export.parity(task, pipeline, model, inputs),
        importance=np.column_stack([loss.importances_mean, loss.importances_std]),
        fit_seconds=seconds,
        latency_ms=round(export.latency_ms(model, inputs), 3),
    )
