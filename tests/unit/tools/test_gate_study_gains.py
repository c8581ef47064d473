"""`nox -s gate-study`: models made equally good, and the gains that they need."""

import numpy as np
import pytest

from tests.support.study_models import METRICS, ROWS, drawn, with_metric
from tools.gate_study.holdout import KnownModels, compare, on_rows, resample_counts
from tools.gate_study.power import needed_gains
from tools.gate_study.rules import rules
from tools.gate_study.scoring import scoring_of


def models_of_a_task(name: str, metric: str) -> KnownModels:
    task = with_metric(name, metric)
    truth, predictions = drawn(task, models=4)
    return KnownModels.of(task, scoring_of(task, truth, predictions), ROWS)


@pytest.mark.parametrize(("name", "metric"), METRICS)
def test_models_that_were_made_equal_have_no_true_gain(name: str, metric: str) -> None:
    models = models_of_a_task(name, metric)
    equal = models.made_equal()
    holdout = on_rows(equal, np.ones((2, ROWS)), np.arange(ROWS))
    assert holdout.luck == pytest.approx(np.zeros(4), abs=1e-5)


@pytest.mark.parametrize(("name", "metric"), [("iris", "log_loss"), ("housing", "mae")])
def test_a_loss_that_was_made_equal_is_never_below_zero(name: str, metric: str) -> None:
    """Easy rows stay easy: no model can gain on them what it has not to lose."""
    equal = models_of_a_task(name, metric).made_equal()
    each_row = equal.scoring.score(np.arange(ROWS), np.eye(ROWS))
    assert (each_row >= 0).all()
    assert equal.true == pytest.approx(np.full(4, equal.true[0]))


@pytest.mark.parametrize(("name", "metric"), METRICS)
def test_a_challenger_is_promoted_with_the_gain_that_it_needs(
    name: str, metric: str
) -> None:
    equal = models_of_a_task(name, metric).made_equal()
    holdout = on_rows(equal, resample_counts(60), np.arange(60))
    challengers = np.array([1, 2, 3])
    *_, rule = rules(100)
    places = np.full(3, 10)
    needed = needed_gains(holdout, rule, 0, challengers, 10)
    is_found = np.isfinite(needed)
    gains = np.where(is_found, needed, 0)
    comparison = compare(holdout, 0, challengers, gains)
    assert rule.promotes(comparison, places)[is_found].all()
    comparison = compare(holdout, 0, challengers, gains * 0.99)
    assert not rule.promotes(comparison, places).any()
