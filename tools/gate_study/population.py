"""Rows that stand for all rows there are, and models that were fitted on other rows.

Half of a task's rows are for fitting, the other half is the population. A model's
metric on the population is its true metric.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from core.errors import PipelineError
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Kind, Task
from pipeline.train import estimators, evaluate, export, past_run, slice_rows
from pipeline.train.one_thread import one_thread
from pipeline.train.past_run import PastRun
from pipeline.train.slice_rows import SliceRows

# The share of the rows that are the population.
SHARE = 0.5
# The share of the other rows that each model is fitted on.
FITTED = 0.8
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Population:
    """A task's population, and what the models predict for it.

    Attributes:
        task: the task.
        truth: shape (rows,), as `evaluate.encode` gives it.
        predictions: shape (models, rows), or (models, rows, classes).
        holdout_rows: how many rows the task's hold-out has.
        groups: the groups of the task's slices with their rows in the population.
    """

    task: Task
    truth: np.ndarray
    predictions: np.ndarray
    holdout_rows: int
    groups: list[SliceRows] = field(default_factory=list)


def fit(repo: Repo, task: Task, models: int, advance: Callable[[], None]) -> Population:
    """Fit the champion's recipe many times, each time on other rows with another seed.

    Args:
        repo: the checkout.
        task: the task.
        models: how many models are fitted.
        advance: called after each fit.

    Raises:
        UsageError: the task has no champion.
        PipelineError: its data are not there, or the champion's run lacks what its
            recipe needs.
    """
    past = past_run.find(repo, task, algorithm=None)
    table = data.fetch(task, repo).table
    is_population = tables.in_holdout(task, table, SHARE)
    is_held_out = tables.in_holdout(task, table, past.holdout_share)
    rows = table[~is_population]
    population = table[is_population]
    work = []
    for number in range(models):
        one_fit = delayed(_fit_one)(task, past, rows, population, number)
        work.append(one_fit)
    predictions = _run(work, task, advance)
    return Population(
        task=task,
        truth=evaluate.encode(task, population),
        predictions=np.stack(predictions),
        holdout_rows=int(is_held_out.sum()),
        groups=slice_rows.measurable(task, population),
    )


def _run(work: list[Any], task: Task, advance: Callable[[], None]) -> list[np.ndarray]:
    """Return the predictions of all models, in order."""
    parallel = Parallel(n_jobs=CORES, return_as="generator")
    predictions = []
    try:
        for prediction in parallel(work):
            predictions.append(prediction)
            advance()
    except ValueError as error:
        raise PipelineError(
            f"{task.name}: the champion's recipe cannot be fitted on a part of the rows"
            f" ({error}): bring more rows."
        ) from error
    return predictions


def _fit_one(
    task: Task, past: PastRun, rows: pd.DataFrame, population: pd.DataFrame, number: int
) -> np.ndarray:
    """Return the predictions of one model for the population."""
    features = past.features(task)
    truth = evaluate.encode(task, rows)
    is_classification = task.kind is Kind.CLASSIFICATION
    chosen, _ = train_test_split(
        np.arange(len(rows)),
        train_size=FITTED,
        random_state=number,
        stratify=truth if is_classification else None,
    )
    pipeline = estimators.build(
        task.kind,
        past.algorithm,
        past.parameters,
        features,
        seed=number,
        derived=past.derived(task),
    )
    inputs = estimators.as_inputs(features, rows.iloc[chosen])
    asked = estimators.as_inputs(features, population)
    with one_thread():
        pipeline.fit(inputs, truth[chosen])
        return export.predict_with_sklearn(task, pipeline, asked)
