"""Tasks with each metric, and models of them, for the tests of the gate's study."""

from dataclasses import replace

import numpy as np

from pipeline import tasks
from pipeline.schema import Kind, Metric, Task
from pipeline.train.evaluate import higher_is_better

Array = np.ndarray
Drawn = tuple[Array, Array]
ROWS = 90
METRICS = [
    ("housing", "rmse"),
    ("housing", "mae"),
    ("credit", "roc_auc"),
    ("iris", "roc_auc"),
    ("iris", "log_loss"),
    ("iris", "brier"),
    ("iris", "accuracy"),
]


def with_metric(name: str, metric: str) -> Task:
    chosen = Metric(metric, higher_is_better=higher_is_better(metric))
    task = tasks.load(name)
    return replace(task, metric=chosen)


def drawn(task: Task, models: int) -> Drawn:
    """Return a ground truth and predictions that know something of it."""
    generator = np.random.default_rng(5)
    if task.kind is Kind.REGRESSION:
        return drawn_values(generator, models)
    classes = len(task.target.classes)
    return drawn_classes(generator, models, classes)


def drawn_values(
    generator: np.random.Generator,
    models: int,
) -> Drawn:
    truth = generator.normal(2, 1, ROWS)
    errors = generator.normal(0, 0.5, (models, ROWS))
    return truth, truth + errors


def drawn_classes(
    generator: np.random.Generator,
    models: int,
    classes: int,
) -> Drawn:
    truth = generator.integers(0, classes, ROWS)
    shape = (models, ROWS, classes)
    weights = generator.uniform(0.1, 1, shape)
    one_hot = np.eye(classes)[truth]
    weights += 0.3 * one_hot
    sums = weights.sum(axis=2, keepdims=True)
    return truth, weights / sums
