"""`nox -s gate-study`: its numbers are the gate's, and its sequences what they should be."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.errors import UsageError
from pipeline import tasks
from pipeline.publish import gain
from pipeline.schema import Kind, Metric, Task
from pipeline.train.evaluate import higher_is_better
from scripts import commands
from tests.paths import ROOT
from tools.gate_study import __main__, population, simulation
from tools.gate_study.holdout import (
    Comparison,
    Holdout,
    KnownModels,
    compare,
    on_rows,
    resample_counts,
)
from tools.gate_study.rules import Rule, rules
from tools.gate_study.scoring import scoring_of
from tools.gate_study.sequence import play
from tools.gate_study.simulation import brings_gain

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
    return replace(tasks.load(name), metric=chosen)


def drawn(task: Task, models: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a ground truth and predictions that know something of it."""
    generator = np.random.default_rng(5)
    if task.kind is Kind.REGRESSION:
        truth = generator.normal(2, 1, ROWS)
        return truth, truth + generator.normal(0, 0.5, (models, ROWS))
    classes = len(task.target.classes)
    truth = generator.integers(0, classes, ROWS)
    weights = generator.uniform(0.1, 1, (models, ROWS, classes))
    weights += 0.3 * np.eye(classes)[truth]
    return truth, weights / weights.sum(axis=2, keepdims=True)


@pytest.mark.parametrize(("name", "metric"), METRICS)
def test_interval_and_p_value_are_those_that_the_gate_computes(
    name: str, metric: str
) -> None:
    task = with_metric(name, metric)
    truth, predictions = drawn(task, models=3)
    models = KnownModels.of(task, scoring_of(task, truth, predictions), ROWS)
    rows = np.random.default_rng(6).integers(0, ROWS, 50)
    holdout = on_rows(models, resample_counts(len(rows)), rows)
    comparison = compare(holdout, 0, np.array([1, 2]))
    old = predictions[0][rows]
    new = predictions[2][rows]
    measured = gain.measure(task, truth[rows], old, new)
    true_gain = models.direction * (models.true[2] - models.true[0])
    assert comparison.low[1] + true_gain == pytest.approx(measured.low, abs=1e-5)
    t = (comparison.gain[1] + true_gain) / comparison.error[1]
    p_value = stats.t.sf(t, len(rows) - 1)
    assert p_value == pytest.approx(measured.p_value, rel=1e-3)


def test_a_metric_that_cannot_be_studied_is_named_with_those_that_can() -> None:
    task = with_metric("iris", "f1_macro")
    truth, predictions = drawn(task, models=2)
    with pytest.raises(UsageError, match="^iris: the metric f1_macro .*: rmse, mae, "):
        scoring_of(task, truth, predictions)


def of_luck(luck: list[float]) -> Holdout:
    """Return a hold-out on which each model has a given luck in every resample."""
    values = np.array(luck)
    resampled = np.repeat(values[:, np.newaxis], 4, axis=1)
    return Holdout(values, resampled, rows=50)


def any_gain(comparison: Comparison, places: np.ndarray) -> np.ndarray:
    """Promote whoever looks better at all."""
    return -comparison.gain


def test_a_promoted_challenger_meets_those_that_follow() -> None:
    holdout = of_luck([0.0, 0.1, 0.05, 0.3])
    course = play(holdout, Rule("any", any_gain), 0, np.array([1, 2, 3]), np.zeros(3))
    assert course.promoted.tolist() == [True, False, True]
    assert course.luck.tolist() == [0.1, 0.1, 0.3]


def test_challengers_are_counted_from_the_last_promotion() -> None:
    def third(comparison: Comparison, places: np.ndarray) -> np.ndarray:
        return np.where(places == 3, -1.0, 1.0)

    count = 250  # more than are compared in one step
    holdout = of_luck([0.0] * (count + 1))
    challengers = np.arange(1, count + 1)
    course = play(holdout, Rule("third", third), 0, challengers, np.zeros(count))
    assert np.flatnonzero(course.promoted).tolist() == list(range(2, count, 3))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30))
def test_a_rule_that_takes_every_gain_ends_with_the_luckiest(luck: list[float]) -> None:
    holdout = of_luck(luck)
    challengers = np.arange(1, len(luck))
    course = play(
        holdout,
        Rule("any", any_gain),
        0,
        challengers,
        np.zeros(len(challengers)),
    )
    assert course.luck[-1] == max(luck) - luck[0]
    assert (np.diff(course.luck) >= 0).all()


def test_a_true_gain_is_enough_where_luck_is_not() -> None:
    holdout = of_luck([0.0] * 101)
    rule = rules(100)[0]
    gains = np.where(brings_gain(100), 0.2, 0.0)
    course = play(holdout, rule, 0, np.arange(1, 101), gains)
    assert np.flatnonzero(course.promoted).tolist() == [49, 99]


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "CORES", 1)
    monkeypatch.setattr(simulation, "CORES", 1)


@pytest.mark.usefixtures("in_one_process")
@pytest.mark.skipif(
    not (ROOT / "mlruns/registry/iris").is_dir(), reason="iris has no champion yet"
)
def test_the_program_prints_the_figures_and_draws_the_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "--task iris --holdouts 2 --pushes 8 --models 6 --json --pictures"
    status = commands.run(__main__.main, [*arguments.split(), str(tmp_path)])
    assert status == 0
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["task"] == "iris"
    assert figures["sequences"] == 2 * simulation.CHAMPIONS
    for rule in figures["rules"]:
        assert 0 <= rule["equal"]["with_false_promotion"] <= 1
        assert rule["smallest_gain"].keys() == {"1"}
    pictures = sorted(path.name for path in tmp_path.iterdir())
    assert pictures == ["gate-optimism.png", "gate-power.png"]
    for name in pictures:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_too_few_models_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = commands.run(__main__.main, ["--models", "3", "--pushes", "10"])
    assert status == 2
    message = "3 models make 3 pairs, but 10 pushes need 14: raise --models."
    assert message in capsys.readouterr().err
