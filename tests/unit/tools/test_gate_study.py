"""`nox -s gate-study`: its numbers are the gate's, and its sequences what they should be."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.errors import UsageError
from pipeline.publish import gain
from scripts import commands
from tests.paths import ROOT
from tests.support.study_models import METRICS, ROWS, drawn, with_metric
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
from tools.gate_study.sequence import Course, play
from tools.gate_study.simulation import brings_gain

IRIS = ROOT / "mlruns" / "registry" / "iris"
Array = np.ndarray


SHARES = st.floats(-1, 1)
LUCK = st.lists(SHARES, min_size=2, max_size=30)


@pytest.mark.parametrize(("name", "metric"), METRICS)
def test_interval_and_p_value_are_those_that_the_gate_computes(
    name: str,
    metric: str,
) -> None:
    task = with_metric(name, metric)
    truth, predictions = drawn(task, models=3)
    scoring = scoring_of(task, truth, predictions)
    models = KnownModels.of(task, scoring, ROWS)
    generator = np.random.default_rng(6)
    count = 50
    rows = generator.integers(0, ROWS, count)
    counts = resample_counts(count)
    holdout = on_rows(models, counts, rows)
    challengers = np.array([1, 2])
    true_gains = models.worth[challengers] - models.worth[0]
    comparison = compare(holdout, 0, challengers, true_gains)
    t = comparison.gain[1] / comparison.error[1]
    p_value = stats.t.sf(t, df=count - 1)
    measured = gain.measure(
        task,
        truth[rows],
        predictions[0][rows],
        predictions[2][rows],
    )
    assert comparison.low[1] == pytest.approx(measured.low, abs=1e-5)
    assert p_value == pytest.approx(measured.p_value, rel=1e-3)


def test_a_metric_that_cannot_be_studied_is_named_with_those_that_can() -> None:
    task = with_metric("iris", "f1_macro")
    truth, predictions = drawn(task, models=2)
    with pytest.raises(UsageError, match="^iris: the metric f1_macro .*: rmse, mae, "):
        scoring_of(task, truth, predictions)


def of_luck(luck: list[float]) -> Holdout:
    """Return a hold-out on which each model has a given luck in every resample."""
    values = np.array(luck)
    column = values[:, np.newaxis]
    resampled = np.repeat(column, 4, axis=1)
    return Holdout(values, resampled, rows=50)


def play_all(
    holdout: Holdout,
    rule: Rule,
    gains: Array | None = None,
) -> Course:
    """Let a rule decide about all models after the first, which is in service."""
    count = len(holdout.luck) - 1
    challengers = np.arange(1, count + 1)
    if gains is None:
        gains = np.zeros(count)
    return play(holdout, rule, 0, challengers, gains)


def places_of(promoted: Array) -> list[int]:
    """Return the numbers of the pushes that were promoted."""
    places: list[int] = np.flatnonzero(promoted).tolist()
    return places


def any_gain(comparison: Comparison, places: Array) -> Array:
    """Promote whoever looks better at all."""
    return comparison.gain > 0


def third(comparison: Comparison, places: Array) -> Array:
    """Promote the third challenger of each champion."""
    is_third: Array = places == 3
    return is_third


def test_a_promoted_challenger_meets_those_that_follow() -> None:
    holdout = of_luck([0.0, 0.1, 0.05, 0.3])
    rule = Rule("any", any_gain)
    course = play_all(holdout, rule)
    assert course.promoted.tolist() == [True, False, True]
    assert course.luck.tolist() == [0.1, 0.1, 0.3]


def test_challengers_are_counted_from_the_last_promotion() -> None:
    count = 250  # more than are compared in one step
    luck = [0.0] * (count + 1)
    holdout = of_luck(luck)
    rule = Rule("third", third)
    course = play_all(holdout, rule)
    every_third = range(2, count, 3)
    assert places_of(course.promoted) == list(every_third)


@given(LUCK)
def test_a_rule_that_takes_every_gain_ends_with_the_luckiest(luck: list[float]) -> None:
    holdout = of_luck(luck)
    rule = Rule("any", any_gain)
    course = play_all(holdout, rule)
    most = max(luck)
    assert course.luck[-1] == most - luck[0]
    steps = np.diff(course.luck)
    assert (steps >= 0).all()


def test_a_true_gain_is_enough_where_luck_is_not() -> None:
    count = 100
    luck = [0.0] * (count + 1)
    holdout = of_luck(luck)
    rule, *_ = rules(count)
    is_gain = brings_gain(count)
    gains = np.where(is_gain, 0.2, 0.0)
    course = play_all(holdout, rule, gains)
    assert places_of(course.promoted) == [49, 99]


@given(LUCK)
def test_only_the_last_promotion_is_corrected(luck: list[float]) -> None:
    """A champion's luck makes it harder to replace, so it does not add up."""
    values = np.array(luck)
    resampled = np.stack([values - 0.01, values + 0.01], axis=1)
    resampled[0] = values[0]
    holdout = Holdout(values, resampled, rows=50)
    rule = Rule("any", any_gain, corrects=True)
    course = play_all(holdout, rule)
    taken_off = course.luck - course.corrected
    steps = np.diff(course.luck, prepend=0)
    assert (taken_off >= -1e-9).all()
    assert (taken_off <= np.maximum.accumulate(steps) + 1e-9).all()


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(population, "CORES", 1)
    monkeypatch.setattr(simulation, "CORES", 1)


@pytest.mark.usefixtures("in_one_process")
@pytest.mark.skipif(not IRIS.is_dir(), reason="iris has no champion yet")
def test_the_program_prints_the_figures_and_draws_the_pictures(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = "--task iris --holdouts 2 --pushes 8 --models 6 --json --pictures"
    arguments = options.split()
    arguments.append(str(tmp_path))
    status = commands.run(__main__.main, arguments)
    assert status == 0
    printed = capsys.readouterr()
    (figures,) = json.loads(printed.out)
    assert figures["task"] == "iris"
    assert figures["slices"] is None
    assert figures["sequences"] == 2 * simulation.CHAMPIONS
    for rule in figures["rules"]:
        share = rule["equal"]["with_false_promotion"]
        assert 0 <= share <= 1
        assert rule["smallest_gain"].keys() == {"1"}
        for sequences in ("no_better", "equal", "with_gains"):
            of_rule = rule[sequences]
            assert of_rule["corrected_optimism"] <= of_rule["optimism"]
    pictures = sorted(tmp_path.iterdir())
    names = [picture.name for picture in pictures]
    assert names == ["gate-optimism.png", "gate-power.png"]
    for picture in pictures:
        content = picture.read_bytes()
        assert content.startswith(b"\x89PNG")


def test_too_few_models_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--models", "3", "--pushes", "10"]
    status = commands.run(__main__.main, arguments)
    assert status == 2
    printed = capsys.readouterr()
    message = "3 models make 3 pairs, but 10 pushes need 14: raise --models."
    assert message in printed.err
