"""`nox -s gate-study`: it refuses a challenger for a slice where the gate does."""

import numpy as np
import pytest

from pipeline import tasks
from pipeline.publish import slice_check
from pipeline.schema import Kind, Task
from pipeline.train import evaluate, slice_rows
from tests.support import factories
from tools.gate_study import simulation
from tools.gate_study.holdout import KnownModels
from tools.gate_study.on_slices import DrawnGroup
from tools.gate_study.scoring import scoring_of

Array = np.ndarray


def noisy(task: Task, truth: Array, models: int) -> Array:
    """Return predictions of which each model's are noisier than those before."""
    generator = np.random.default_rng(6)
    predictions = []
    for number in range(models):
        noise = 0.3 + number / 80
        if task.kind is Kind.REGRESSION:
            predictions.append(truth + generator.normal(0, noise, len(truth)))
            continue
        logit = 2 * truth - 1 + generator.normal(0, 3 * noise, len(truth))
        of_second = 1 / (1 + np.exp(-logit))
        predictions.append(np.column_stack([1 - of_second, of_second]))
    return np.stack(predictions)


@pytest.mark.parametrize("name", ["credit", "housing"])
def test_a_group_is_refused_by_the_study_as_by_the_gate(name: str) -> None:
    """On a hold-out that is the whole population nobody is lucky."""
    task = tasks.load(name)
    rows = factories.rows(task, 400, seed=2)
    truth = evaluate.encode(task, rows)
    predictions = noisy(task, truth, simulation.CHAMPIONS + 4)
    scoring = scoring_of(task, truth, predictions)
    models = KnownModels.of(task, scoring, len(truth))
    groups = slice_rows.measurable(task, rows)
    by_study = []
    by_gate = []
    for group in groups:
        of_group = DrawnGroup(models, group, np.arange(len(truth)))
        needed = of_group.needed_losses(len(groups))[:4]
        loss = models.direction * (of_group.true[0] - of_group.true[-4:])
        by_study.append(loss > needed)
    for challenger in predictions[-4:]:
        checks = slice_check.check(task, groups, truth, predictions[0], challenger)
        by_gate.append([not check.passed for check in checks])
    assert np.array_equal(by_study, np.transpose(by_gate))
    assert 0 < np.mean(by_gate) < 1
