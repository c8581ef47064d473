"""Traffic that is like the data of the training, and traffic that is wrong on purpose."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import ApiError
from app.serving.model import Model
from app.serving.validation import Record
from scripts import commands
from scripts.traffic import __main__ as program
from scripts.traffic.__main__ import main
from scripts.traffic.population import Population
from scripts.traffic.questions import LONG, Question, ask
from tests.support.service import MODELS, TASKS, make
from tests.support.serving import manifest

ROWS = 5_000
EMPTY = 1e-4  # in place of the share of a bin that nothing falls into
each = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    monkeypatch.setattr(program, "MODELS", MODELS)


@pytest.fixture(scope="module")
def populations() -> dict[str, Population]:
    """Populations that no test moves."""
    make()
    return {task: Population(MODELS / task, np.random.default_rng(1)) for task in TASKS}


@cache
def model_of(task: str) -> Model:
    return Model(MODELS / task)


def population(task: str) -> Population:
    return Population(MODELS / task, np.random.default_rng(2))


def psi(known: dict[str, Any], values: list[Any]) -> float:
    """Return the population stability index of values against a frozen distribution."""
    if "categories" in known:
        bins = np.array([known["categories"].index(value) for value in values])
    else:
        bins = np.searchsorted(known["edges"], values, side="left")
    counts = np.bincount(bins, minlength=len(known["shares"]))
    is_, was = (
        np.maximum(x, EMPTY) for x in (counts / len(values), np.array(known["shares"]))
    )
    return float(((is_ - was) * np.log(is_ / was)).sum())


def stability(task: str, records: list[Record]) -> dict[str, float]:
    """Return the index of every feature and of every part of the predictions."""
    reference, model = manifest(MODELS / task)["reference"], model_of(task)
    output = model.run(model.validator.validate(records[:]))
    parts = {
        "value": output[:, -1].tolist(),
        "probability": output[:, -1].tolist(),
        "class": [one["prediction"] for one in model.describe(output)],
    }
    features = {
        name: psi(known, [record[name] for record in records])
        for name, known in reference["features"].items()
    }
    return features | {
        part: psi(known, parts[part])
        for part, known in reference["predictions"].items()
    }


@each
def test_records_and_predictions_are_distributed_as_in_training(
    populations: dict[str, Population], task: str
) -> None:
    found = stability(task, populations[task].draw(ROWS))
    assert {name: value for name, value in found.items() if value >= 0.03} == {}
    described = manifest(MODELS / task)
    parts = len(described["reference"]["predictions"])
    assert len(found) == len(described["features"]) + parts


@each
def test_what_is_counted_is_whole_and_what_is_measured_is_not(
    populations: dict[str, Population], task: str
) -> None:
    record = populations[task].draw(1)[0]
    for feature in manifest(MODELS / task)["features"]:
        assert type(record[feature["name"]]) is type(feature["example"]), feature[
            "name"
        ]


@each
def test_half_a_deviation_moves_one_feature_alone(task: str) -> None:
    made = population(task)
    name = made.numbers[0]
    made.shift(name, 0.5)
    found = stability(
        task, made.draw(ROWS)
    )  # what is out of a feature's range would be refused
    moved = {n for n, value in found.items() if value > 0.03} - {
        "value",
        "class",
        "probability",
    }
    assert moved == {name} and found[name] > 0.1


def test_a_far_shift_ends_at_the_range(populations: dict[str, Population]) -> None:
    made = population("iris")
    made.shift("petal_width", 50)
    assert {record["petal_width"] for record in made.draw(10)} == {4.0}


@each
def test_the_truth_is_as_far_off_as_the_holdout_says(
    populations: dict[str, Population], task: str
) -> None:
    made, model, described = populations[task], model_of(task), manifest(MODELS / task)
    answers = model.predict(made.draw(ROWS))
    truths = [made.truth(answer) for answer in answers]
    metrics = described["holdout"]["metrics"]
    if described["kind"] == "regression":
        values = np.array([answer["prediction"] for answer in answers])
        rmse = np.sqrt(np.mean((values - np.array(truths)) ** 2))
        # The noise is cut where the target's range ends: a little is lost.
        assert rmse == pytest.approx(metrics["rmse"]["value"], rel=0.05)
        assert 0 <= min(truths) and max(truths) <= 6
    else:
        hits = [
            one["prediction"] == true for one, true in zip(answers, truths, strict=True)
        ]
        assert np.mean(hits) == pytest.approx(metrics["accuracy"]["value"], abs=0.03)


@pytest.mark.parametrize("kind", ["normal", "slow", "drifted"])
def test_each_task_gets_exactly_the_rows(
    populations: dict[str, Population], kind: str
) -> None:
    asked = {task: 0 for task in TASKS}
    random = np.random.default_rng(3)
    for question in ask(kind, list(populations.values()), 5_001, random):
        _, _, task = question.path.rpartition("/")
        records, _ = model_of(task).validator.parse(question.body)
        assert len(records) == question.rows <= LONG[1]
        asked[task] += question.rows
    assert asked == dict.fromkeys(TASKS, 5_001)


def refusal(question: Question) -> int:
    """Return the status that a request is refused with."""
    _, _, task = question.path.rpartition("/")
    if task not in TASKS:
        return 404
    with pytest.raises(ApiError) as refused:
        model_of(task).validator.parse(question.body)
    return refused.value.status


def test_faulty_requests_are_of_every_kind_and_all_refused(
    populations: dict[str, Population],
) -> None:
    questions = list(
        ask("errors", list(populations.values()), 7, np.random.default_rng(4))
    )
    assert len({question.body for question in questions}) > 15
    told = [refusal(question) for question in questions]
    assert {status: told.count(status) for status in told} == {422: 15, 404: 3, 413: 3}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "http://[::1"])
def test_no_api_is_one_sentence(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.run(main, ["--task", "iris", "--url", url]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and url in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--task", "tulips"],
            "there is no task tulips: the tasks are credit, housing, iris.",
        ),
        (
            ["drifted", "--feature", "purpose"],
            "no task has a number purpose. What can drift: ",
        ),
        (["--rate", "0"], "0 is not above 0"),
        (["--rows", "0"], "0 is not above 0"),
    ],
)
def test_what_cannot_be_sent_is_said(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.run(main, arguments) == 2
    assert words in capsys.readouterr().err


def test_before_the_first_model_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "MODELS", tmp_path / "models")
    assert commands.run(main, []) == 1
    told = capsys.readouterr().err
    assert (
        "holds no model" in told
        and "pipeline publish" in told
        and told.count("\n") == 1
    )
