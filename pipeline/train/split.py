"""Splits a task's table into the rows to train on and those held out."""

from typing import NamedTuple

import pandas as pd

from pipeline.data import derived
from pipeline.data import table as tables
from pipeline.params import Params
from pipeline.schema import Task
from pipeline.train import slice_rows
from pipeline.train.training_data import TrainingData


class Parts(NamedTuple):
    """The rows of a table to train on, and those held out."""

    train: pd.DataFrame
    holdout: pd.DataFrame


def split(task: Task, table: pd.DataFrame, share: float) -> Parts:
    """Hold out a share of a table's rows, chosen by their content.

    Raises:
        PipelineError: too few of the rows held out are in a group of the task's slices.
    """
    held = tables.in_holdout(task, table, share)
    holdout = table[held]
    slice_rows.require_measurable(task, holdout)
    return Parts(train=table[~held], holdout=holdout)


def used_names(task: Task, settings: Params) -> list[str]:
    """Return the names of a task's features and derived features that are used."""
    excluded = settings.tasks[task.name].exclude
    names = [feature.name for feature in task.features]
    used = [name for name in names if name not in excluded]
    for feature in derived.without(task.derived_features, excluded):
        used.append(feature.name)
    return used


def training_data(
    task: Task, parts: Parts, names: list[str], settings: Params
) -> TrainingData:
    """Return the rows with the settings that all candidates share.

    Args:
        task: the task.
        parts: the rows.
        names: the features and derived features that are used.
        settings: `params.yaml`.
    """
    section = settings.tasks[task.name]
    sample = None
    if section.holdout_sample:
        sample = tables.sample(task, parts.holdout, section.holdout_sample)
    return TrainingData(
        task=task,
        features=[feature for feature in task.features if feature.name in names],
        train=parts.train,
        holdout=parts.holdout,
        folds=section.folds,
        seed=settings.seed,
        derived=[each for each in task.derived_features if each.name in names],
        sample=sample,
    )
