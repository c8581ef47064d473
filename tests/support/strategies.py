"""Rows that are generated from a task's features, for tests without the real data."""

import dataclasses
import os

import numpy as np
import pandas as pd

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.schema import Feature, Kind, Source, Task
from pipeline.train.training_data import TrainingData
from tests.paths import ROOT

# The variables that name the folders with the real data of a task.
VARIABLES = {"housing": "SCIKIT_LEARN_DATA", "credit": "MLOPS_DATA_DIR"}


def table(task: Task, rows: int, seed: int = 0) -> pd.DataFrame:
    """Return valid rows, spread over each feature's range.

    The target depends on all features.
    """
    generator = np.random.default_rng(seed)
    columns = {}
    weight = np.zeros(rows)
    for feature in task.features:
        if feature.categories:
            values, shares = _categories(feature, rows, generator)
        else:
            values, shares = _numbers(feature, rows, generator)
        columns[feature.name] = values
        weight += shares
    weight += generator.normal(0, 0.05, rows)
    columns[task.target.name] = _target(task, weight)
    frame = pd.DataFrame(columns)
    return validate(task, frame, "generated rows")


def _categories(
    feature: Feature, rows: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return categories, and the place of each among all of them as a share."""
    assert feature.categories
    count = len(feature.categories)
    places = generator.integers(0, count, rows)
    names = np.array(feature.categories, dtype=object)
    return names[places], places / count


def _numbers(
    feature: Feature, rows: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers within the feature's range, and where in it they are as a share."""
    low = feature.low
    high = feature.high
    assert low is not None
    assert high is not None
    values = generator.uniform(low, high, rows)
    if isinstance(feature.example, int):  # a count is a whole number
        low_limit = int(low)
        above_high = int(high) + 1
        whole = generator.integers(low_limit, above_high, rows)
        values = whole.astype(float)
    return values, (values - low) / (high - low)


def _target(task: Task, weight: np.ndarray) -> np.ndarray:
    """Return targets in the order of the weights, spread over the target's range."""
    target = task.target
    ranks = pd.Series(weight).rank(pct=True)
    places = ranks.to_numpy() - 1e-9
    if task.kind is Kind.CLASSIFICATION:
        classes = np.array(target.classes, dtype=object)
        indices = (places * len(classes)).astype(int)
        return classes[indices]
    assert target.low is not None
    assert target.high is not None
    return target.low + places * (target.high - target.low)


def task_of(name: str, rows: int) -> Task:
    """Return a task whose only source are generated rows.

    It has no slice by its target: too few of the rows have one of its rarer values.
    """
    task = tasks.load(name)
    slices = {}
    for of_slice, named in task.slices.items():
        if task.target.name not in named.columns:
            slices[of_slice] = named
    generated = table(task, rows)
    source = Source("generated rows", lambda _: generated.copy())
    return dataclasses.replace(
        task,
        sources=(source,),
        digest=tables.digest(generated),
        slices=slices,
    )


def training_data(name: str, rows: int = 300, folds: int = 3) -> TrainingData:
    """Return generated rows of a task; a fifth is held out."""
    task = tasks.load(name)
    generated = table(task, rows)
    is_held_out = np.arange(rows) % 5 == 0
    return TrainingData(
        task=task,
        features=list(task.features),
        train=generated[~is_held_out],
        holdout=generated[is_held_out],
        folds=folds,
        seed=0,
        derived=task.derived_features,
    )


def real(name: str) -> tuple[bool, str]:
    """Return whether a task's real data are here, and a reason if they are not."""
    variable = VARIABLES.get(name)
    snapshot = ROOT / "data" / f"{name}.csv.gz"
    is_here = True
    if variable is not None:
        is_here = snapshot.is_file() or bool(os.environ.get(variable))
    return is_here, f"the real data of {name} are not here: {variable} names no folder"
