"""The rows of slices, and the metrics on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import PipelineError
from pipeline import tasks
from pipeline.schema import Metric
from pipeline.slices import Fairness, Group, NamedSlice
from pipeline.train import evaluate, fairness, slice_metrics, slice_rows
from tests.support import factories

CREDIT = tasks.load("credit")
HOUSING = tasks.load("housing")
ROWS = factories.rows(CREDIT, 400, seed=1)
GENERATOR = np.random.default_rng(0)
BAD = GENERATOR.random(len(ROWS))
PREDICTION = np.column_stack([1 - BAD, BAD])
LOG_LOSS = Metric("log_loss", higher_is_better=False)
EVERYBODY = NamedSlice(
    by="age",
    groups={"all": Group(at_least=0)},
    may_lose=0,
)
HALVES = NamedSlice(
    by="age",
    groups={
        "younger": Group(below=60),
        "older": Group(at_least=60),
    },
    may_lose=0,
)


@pytest.mark.parametrize("name", ["credit", "housing"])
def test_each_row_is_in_one_group_of_each_slice(name: str) -> None:
    task = tasks.load(name)
    table = factories.rows(task, 400, seed=2)
    times: dict[str, np.ndarray] = {}
    for group in slice_rows.select(task, table):
        counts = times.setdefault(group.slice, np.zeros(400))
        counts[group.rows] += 1
    assert times.keys() == task.slices.keys()
    for counts in times.values():
        assert (counts == 1).all()


def test_a_group_has_the_rows_of_its_categories_whatever_the_index() -> None:
    shifted = ROWS.set_index(ROWS.index + 1000)
    groups: dict[str, pd.DataFrame] = {}
    for group in slice_rows.select(CREDIT, shifted):
        groups[group.group] = ROWS.iloc[group.rows]
    sexes = groups["female"]["personal_status_sex"]
    assert set(sexes) == {"female_not_single", "female_single"}
    assert groups["up_to_25"]["age"].max() < 26
    assert groups["over_40"]["age"].min() >= 41


def test_the_sum_of_its_degrees_shows_whether_a_block_is_at_the_coast() -> None:
    # San Francisco, Los Angeles, Fresno, Lake Tahoe.
    latitude = [37.77, 33.99, 36.74, 39.1]
    longitude = [-122.43, -118.48, -119.79, -120.03]
    table = factories.rows(HOUSING, 80, seed=2)
    table["Latitude"] = np.repeat(latitude, 20)
    table["Longitude"] = np.repeat(longitude, 20)
    coast, inland, *_ = slice_rows.select(HOUSING, table)
    assert coast.group == "coast"
    assert coast.rows.tolist() == list(range(40))
    assert inland.rows.tolist() == list(range(40, 80))


def test_too_few_rows_are_refused_with_the_remedy() -> None:
    few = ROWS.iloc[:30]
    with pytest.raises(PipelineError) as error:
        slice_rows.require_measurable(CREDIT, few)
    assert str(error.value) == (
        "credit: slices.sex.groups.female has 11 of the 30 rows held out, but 20 are"
        " needed: bring more rows, or change the group in pipeline/tasks/credit.yaml."
    )


def test_a_group_of_one_class_has_no_roc_auc() -> None:
    is_good = ROWS["risk"] == "good"
    good = ROWS[is_good]
    task = replace(
        CREDIT,
        slices={"age": EVERYBODY},
        fairness=None,
    )
    with pytest.raises(PipelineError, match="on which roc_auc has no value, whatever"):
        slice_rows.require_measurable(task, good)
    by_log_loss = replace(task, metric=LOG_LOSS)
    slice_rows.require_measurable(by_log_loss, good)


def test_a_group_without_the_favourable_class_has_no_fairness() -> None:
    is_bad = ROWS["risk"] == "bad"
    bad = ROWS[is_bad]
    task = replace(
        CREDIT,
        slices={"age": HALVES},
        fairness=Fairness(favourable="good", slices=("age",)),
        metric=LOG_LOSS,
    )
    with pytest.raises(PipelineError, match="no row held out whose risk is good"):
        slice_rows.require_measurable(task, bad)


def test_the_run_has_the_metric_of_each_group() -> None:
    values = slice_metrics.by_name(CREDIT, ROWS, PREDICTION)
    assert list(values) == [
        "slice_sex_female_roc_auc",
        "slice_sex_male_roc_auc",
        "slice_age_up_to_25_roc_auc",
        "slice_age_from_26_to_40_roc_auc",
        "slice_age_over_40_roc_auc",
    ]
    sex = ROWS["personal_status_sex"]
    is_male = sex.str.startswith("male").to_numpy()
    men = evaluate.encode(CREDIT, ROWS[is_male])
    of_men = PREDICTION[is_male]
    expected = evaluate.score(CREDIT, "roc_auc", men, of_men)
    assert values["slice_sex_male_roc_auc"] == expected


def test_the_manifest_has_them_with_their_intervals() -> None:
    groups = slice_metrics.with_intervals(
        CREDIT,
        ROWS,
        PREDICTION,
        seed=0,
    )
    values = slice_metrics.by_name(CREDIT, ROWS, PREDICTION)
    for group, value in zip(groups, values.values(), strict=True):
        metric = group.metric
        assert metric.value == value
        assert metric.low < value < metric.high
    female, male, *_ = groups
    assert female.rows + male.rows == len(ROWS)


def test_a_group_that_cannot_be_measured_is_left_out_of_the_run() -> None:
    few = ROWS.iloc[:80]
    prediction = PREDICTION[:80]
    without = []
    for group in slice_rows.select(CREDIT, few):
        if group.fault:
            without.append(group.group)
    assert without == ["up_to_25"]
    values = slice_metrics.by_name(CREDIT, few, prediction)
    assert len(values) == 4
    sex, age = fairness.measure(CREDIT, few, prediction)
    assert list(sex.groups) == ["female", "male"]
    assert list(age.groups) == ["from_26_to_40", "over_40"]


def test_a_task_that_names_none_has_no_figures() -> None:
    iris = tasks.load("iris")
    table = factories.rows(iris, 60)
    prediction = np.full((60, 3), 1 / 3)
    assert slice_rows.select(iris, table) == []
    assert slice_metrics.by_name(iris, table, prediction) == {}
    assert fairness.measure(iris, table, prediction) == []
