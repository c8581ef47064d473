"""Tables that fit a task, drawn from its features' ranges, and models fitted on them."""

from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from pipeline.data import table as tables
from pipeline.schema import Feature, Kind, Task
from pipeline.train import estimators, evaluate, export


def rows(
    task: Task,
    count: int,
    seed: int = 0,
    noise: float = 0.2,
) -> pd.DataFrame:
    """Return a table that the task accepts; the target follows the features, with some
    noise.
    """
    generator = np.random.default_rng(seed)
    table: dict[str, Any] = {}
    signal = np.zeros(count)
    for place, feature in enumerate(task.features):
        values, share = _column(feature, count, generator)
        table[feature.name] = values
        weight = 1 if place % 2 else -0.5
        signal += share * weight
    signal += generator.normal(0, noise, count)
    table[task.target.name] = _target(task, signal)
    return pd.DataFrame(table)


def _column(
    feature: Feature,
    count: int,
    generator: np.random.Generator,
) -> tuple[Any, Any]:
    """Return values of a feature, and where in its range each is as a share."""
    if feature.categories:
        number = len(feature.categories)
        places = generator.integers(0, number, count)
        names = np.array(feature.categories, dtype=object)
        last = max(1, number - 1)
        return names[places], places / last
    share = generator.random(count)
    low = feature.low
    high = feature.high
    assert low is not None
    assert high is not None
    values = _in_range(low, high, share)
    return values, share


def _in_range(
    low: float,
    high: float,
    share: Any,
) -> list[float]:
    """Return the numbers at some shares of a range."""
    width = high - low
    return _as_written(low + share * width)


def _as_written(values: Any) -> list[float]:
    """Return numbers as they are after they were written to a file."""
    written = []
    for value in values:
        text = tables.text(float(value))
        written.append(float(text))
    return written


def _target(task: Task, signal: np.ndarray) -> Any:
    if task.kind is Kind.CLASSIFICATION:
        order = signal.argsort()
        ranks = order.argsort() / len(signal)
        classes = np.array(task.target.classes, dtype=object)
        places = ranks * len(classes)
        return classes[places.astype(int)]
    low = task.target.low or 0.0
    high = task.target.high or 1.0
    spread = np.ptp(signal) or 1.0
    distances = signal - signal.min()
    share = distances / spread
    return _in_range(low, high, share)


def fitted(
    task: Task,
    table: pd.DataFrame,
    **parameters: Any,
) -> tuple[Any, bytes]:
    """Return a linear model fitted on a table, and its ONNX file."""
    features: list[Feature] = list(task.features)
    algorithm = "ridge"
    if task.kind is not Kind.REGRESSION:
        algorithm = "logistic_regression"
        # A plane separates the generated classes, so little has to be smoothed.
        parameters.setdefault("C", 1000.0)
    pipeline = estimators.build(
        task.kind,
        algorithm,
        parameters,
        features,
        seed=0,
    )
    inputs = estimators.as_inputs(features, table)
    target = evaluate.encode(task, table)
    # As in a training: the tests' workers share the cores.
    with threadpool_limits(limits=1):
        pipeline.fit(inputs, target)
    content = export.to_onnx(task, features, pipeline)
    return pipeline, content
