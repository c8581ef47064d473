"""Fits the model of a past run again, on its rows and with its parameters."""

from dataclasses import dataclass

import pandas as pd
from sklearn.pipeline import Pipeline

from core.errors import PipelineError
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import estimators, evaluate, export
from pipeline.train.one_thread import one_thread
from pipeline.train.past_run import PastRun


@dataclass(frozen=True)
class RefittedModel:
    """A model that was fitted again.

    Attributes:
        task: the task.
        past: the run that had the model first.
        pipeline: the fitted estimator with its preprocessing.
        onnx: the ONNX file.
        holdout: the rows that the run held out, with the task's columns.
    """

    task: Task
    past: PastRun
    pipeline: Pipeline
    onnx: bytes
    holdout: pd.DataFrame

    @property
    def inputs(self) -> pd.DataFrame:
        """The model's inputs for the hold-out."""
        features = self.past.features(self.task)
        return estimators.as_inputs(features, self.holdout)


def refit(repo: Repo, task: Task, past: PastRun) -> RefittedModel:
    """Fit a run's model again.

    Raises:
        PipelineError: the data are not those of the run.
    """
    dataset = data.fetch(task, repo)
    if dataset.digest != past.data_digest:
        raise PipelineError(
            f"the data of {task.name} are not those of the run ({dataset.digest[:12]},"
            f" the run had {past.data_digest[:12]}): check out the commit"
            f" {past.commit[:12]} to make its models again."
        )
    return refit_on(task, past, dataset.table)


def refit_on(task: Task, past: PastRun, table: pd.DataFrame) -> RefittedModel:
    """Fit a run's model again on its table, which the caller has checked."""
    held = tables.in_holdout(task, table, past.holdout_share)
    pipeline = _fit(task, past, table[~held])
    return RefittedModel(
        task=task,
        past=past,
        pipeline=pipeline,
        onnx=export.to_onnx(task, past.features(task), pipeline),
        holdout=table[held],
    )


def _fit(task: Task, past: PastRun, train: pd.DataFrame) -> Pipeline:
    """Fit as a training does: on one thread, for the same sums on any machine."""
    features = past.features(task)
    pipeline = estimators.build(
        task.kind,
        past.algorithm,
        past.parameters,
        features,
        past.seed,
        past.derived(task),
    )
    inputs = estimators.as_inputs(features, train)
    truth = evaluate.encode(task, train)
    with one_thread():
        pipeline.fit(inputs, truth)
    return pipeline
