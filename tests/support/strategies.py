"""Rows made up from a task's features: for tests that must not need, or hold, the real
data.
"""

import dataclasses
import os

import numpy as np
import pandas as pd

from pipeline import tasks
from pipeline.data import table as tables
from pipeline.data.validate import validate
from pipeline.schema import Kind, Source, Task
from pipeline.train.training_data import TrainingData
from tests.paths import ROOT

# What names the folders with the real data of a task.
VARIABLES = {"housing": "SCIKIT_LEARN_DATA", "credit": "MLOPS_DATA_DIR"}


def table(task: Task, rows: int, seed: int = 0) -> pd.DataFrame:
    """Return valid rows, spread over each feature's range; the target depends on all of
    them.
    """
    generator = np.random.default_rng(seed)
    columns, weight = {}, np.zeros(rows)
    for feature in task.features:
        if feature.categories:
            places = generator.integers(0, len(feature.categories), rows)
            columns[feature.name] = np.array(feature.categories, dtype=object)[places]
            weight += places / len(feature.categories)
        else:
            assert feature.low is not None and feature.high is not None
            values = generator.uniform(feature.low, feature.high, rows)
            if isinstance(feature.example, int):  # what is counted is whole
                values = (
                    generator.integers(int(feature.low), int(feature.high) + 1, rows)
                    * 1.0
                )
            columns[feature.name] = values
            weight += (values - feature.low) / (feature.high - feature.low)
    columns[task.target.name] = _target(task, weight + generator.normal(0, 0.05, rows))
    return validate(task, pd.DataFrame(columns), "generated rows")


def _target(task: Task, weight: np.ndarray) -> np.ndarray:
    places = pd.Series(weight).rank(pct=True).to_numpy() - 1e-9
    if task.kind is Kind.CLASSIFICATION:
        classes = task.target.classes
        return np.array(classes, dtype=object)[(places * len(classes)).astype(int)]
    assert task.target.low is not None and task.target.high is not None
    return task.target.low + places * (task.target.high - task.target.low)


def task_of(name: str, rows: int) -> Task:
    """Return a task whose only source are generated rows."""
    task = tasks.load(name)
    made = table(task, rows)
    source = Source("generated rows", lambda _: made.copy())
    return dataclasses.replace(task, sources=(source,), digest=tables.digest(made))


def training_data(name: str, rows: int = 300, folds: int = 3) -> TrainingData:
    """Return generated rows of a task; a fifth is held out."""
    task = tasks.load(name)
    made = table(task, rows)
    held = np.arange(rows) % 5 == 0
    return TrainingData(task, list(task.features), made[~held], made[held], folds, 0)


def real(name: str) -> tuple[bool, str]:
    """Tell whether a task's real data are at hand, and what is missing."""
    variable = VARIABLES.get(name)
    here = (ROOT / "data" / f"{name}.csv.gz").is_file()
    found = variable is None or here or bool(os.environ.get(variable))
    return found, f"the real data of {name} are not here: {variable} names no folder"
