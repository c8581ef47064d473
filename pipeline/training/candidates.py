"""Fitting: every candidate in cross-validation and on all training rows, over all cores."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from pipeline.bundle import Parity
from pipeline.errors import PipelineError
from pipeline.params import Parameters
from pipeline.schema import Feature, Kind, Task
from pipeline.training import estimators, evaluate, export
from pipeline.training.predict import OnnxModel

IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Study:
    """One task's data and settings: what every candidate is given alike.

    `train` and `holdout` are tables of the task's columns; `features` are those that are used.
    """

    task: Task
    features: list[Feature]
    train: pd.DataFrame
    holdout: pd.DataFrame
    folds: int
    seed: int

    @property
    def truth(self) -> np.ndarray:
        """The hold-out's true values, shape (rows,)."""
        return self.holdout[self.task.target.name].to_numpy()


@dataclass(frozen=True)
class Candidate:
    """One algorithm, judged; `folds` is the task's metric in each fold.

    `importance` is, for each feature, how much worse the metric gets when it is shuffled: mean
    and standard deviation, shape (features, 2).
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


def split(study: Study) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the folds of the training rows as pairs of row numbers, to fit and to judge.

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
            f"{task.name}: {fewest} rows {kind}to train on and {len(study.holdout)} held out are "
            f"too few for {study.folds} folds and a hold-out with every class: bring more rows, or "
            "change folds or holdout_share in params.yaml."
        )
    kind_of_folds = KFold if task.kind is Kind.REGRESSION else StratifiedKFold
    folds = kind_of_folds(study.folds, shuffle=True, random_state=study.seed)
    return list(folds.split(study.train, target))


def fit_all(study: Study, candidates: dict[str, Parameters]) -> Iterator[Candidate | Failure]:
    """Yield the candidates in order, each as soon as it is judged."""
    folds = split(study)
    jobs = [
        delayed(_guarded)(study, algorithm, parameters, rows)
        for algorithm, parameters in candidates.items()
        for rows in (*folds, None)
    ]
    results = Parallel(n_jobs=-1, return_as="generator")(jobs)
    for algorithm, parameters in candidates.items():
        parts = [next(results) for _ in range(study.folds + 1)]
        reasons = [part for part in parts if isinstance(part, str)]
        if reasons:
            yield Failure(algorithm, parameters, reasons[0])
        else:
            yield _candidate(study, algorithm, parameters, parts)


def best(task: Task, candidates: list[Candidate | Failure]) -> Candidate | None:
    """Return the candidate with the best mean in cross-validation; the first of equals."""
    judged = [candidate for candidate in candidates if isinstance(candidate, Candidate)]
    sign = -1 if task.metric.higher_is_better else 1
    return min(judged, key=lambda candidate: sign * np.mean(candidate.folds), default=None)


def _candidate(study: Study, algorithm: str, parameters: Parameters, parts: list[Any]) -> Candidate:
    *folds, final = parts
    values = {name: [fold[name] for fold in folds] for name in folds[0]}
    summary = {f"{name}_mean": float(np.mean(found)) for name, found in values.items()}
    judged = values[study.task.metric.name]
    summary[f"{study.task.metric.name}_std"] = float(np.std(judged, ddof=1))
    return Candidate(algorithm, parameters, judged, summary, **final)


def _guarded(
    study: Study, algorithm: str, parameters: Parameters, rows: tuple[np.ndarray, np.ndarray] | None
) -> Any:
    """Run one fit; whatever an estimator raises is the candidate's failure, not the run's."""
    try:
        # One thread a fit: sums of floats depend on how they are shared among threads, and the
        # same inputs must give the same bytes on a machine with any number of cores.
        with threadpool_limits(limits=1):
            if rows is None:
                return _final(study, algorithm, parameters)
            return _fold(study, algorithm, parameters, *rows)
    except Exception as error:
        what = str(error).strip().splitlines() or [""]
        return what[0] if isinstance(error, PipelineError) else f"{type(error).__name__}: {what[0]}"


def _fold(
    study: Study, algorithm: str, parameters: Parameters, fit: np.ndarray, judge: np.ndarray
) -> dict[str, float]:
    """Fit on some training rows and return the metrics on others."""
    pipeline = _fit(study, algorithm, parameters, study.train.iloc[fit])
    rows = study.train.iloc[judge]
    prediction = export.estimate(study.task, pipeline, estimators.as_inputs(study.features, rows))
    return evaluate.metrics(study.task, rows[study.task.target.name].to_numpy(), prediction)


def _final(study: Study, algorithm: str, parameters: Parameters) -> dict[str, Any]:
    """Fit on all training rows, export, and judge the ONNX file on the hold-out."""
    task, start = study.task, time.perf_counter()
    pipeline = _fit(study, algorithm, parameters, study.train)
    seconds = time.perf_counter() - start
    inputs = estimators.as_inputs(study.features, study.holdout)
    content = export.to_onnx(task, study.features, pipeline)
    model = OnnxModel(content)

    def good(fitted: Any, frame: pd.DataFrame, truth: np.ndarray) -> float:
        value = evaluate.score(task, task.metric.name, truth, export.estimate(task, fitted, frame))
        return value if task.metric.higher_is_better else -value

    repeats = {"n_repeats": IMPORTANCE_REPEATS, "random_state": study.seed}
    loss = permutation_importance(pipeline, inputs, study.truth, scoring=good, **repeats)
    return {
        "holdout": evaluate.metrics(task, study.truth, model.predict(inputs)),
        "onnx": content,
        "parity": export.parity(task, pipeline, model, inputs),
        "importance": np.column_stack([loss.importances_mean, loss.importances_std]),
        "fit_seconds": seconds,
    }


def _fit(study: Study, algorithm: str, parameters: Parameters, rows: pd.DataFrame) -> Any:
    truth = evaluate.encode(study.task, rows[study.task.target.name].to_numpy())
    pipeline = estimators.build(study.task.kind, algorithm, parameters, study.features, study.seed)
    return pipeline.fit(estimators.as_inputs(study.features, rows), truth)
