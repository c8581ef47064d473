"""Traffic that resembles the training data, and traffic that is wrong on purpose."""

from collections import Counter
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
from tests.support.json_content import Json
from tests.support.service import MODELS, TASKS, make
from tests.support.serving import manifest

ROWS = 5_000
EMPTY = 1e-4  # instead of the share of an empty bin
STABLE = 0.03
OUTPUTS = {"value", "class", "probability"}

Populations = dict[str, Population]
Capture = pytest.CaptureFixture[str]

each = pytest.mark.parametrize("task", TASKS)


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    monkeypatch.setattr(program, "MODELS", MODELS)


@pytest.fixture(scope="module")
def populations() -> Populations:
    """Populations that no test shifts."""
    make()
    return {task: population(task, seed=1) for task in TASKS}


@cache
def model_of(task: str) -> Model:
    return Model(MODELS / task)


def population(task: str, seed: int) -> Population:
    random = np.random.default_rng(seed)
    return Population(MODELS / task, random)


def psi(reference: Json, values: list[Any]) -> float:
    """Return the population stability index of values against a distribution."""
    if "categories" in reference:
        categories = reference["categories"]
        bins = np.array([categories.index(value) for value in values])
    else:
        bins = np.searchsorted(reference["edges"], values, side="left")
    expected = np.maximum(reference["shares"], EMPTY)
    counts = np.bincount(bins, minlength=len(expected))
    actual = np.maximum(counts / len(values), EMPTY)
    differences = actual - expected
    terms = differences * np.log(actual / expected)
    return float(terms.sum())


def stability(task: str, records: list[Record]) -> dict[str, float]:
    """Return the index of every feature and of every output of the model."""
    reference = manifest(MODELS / task)["reference"]
    model = model_of(task)
    valid = model.validator.validate(records[:])
    output = model.run(valid)
    predictions = model.describe(output)
    outputs = {
        "value": output[:, -1].tolist(),
        "probability": output[:, -1].tolist(),
        "class": [prediction["prediction"] for prediction in predictions],
    }
    indices = {}
    for name, distribution in reference["features"].items():
        values = [record[name] for record in records]
        indices[name] = psi(distribution, values)
    for name, distribution in reference["predictions"].items():
        indices[name] = psi(distribution, outputs[name])
    return indices


def unstable(indices: dict[str, float]) -> set[str]:
    return {name for name, index in indices.items() if index >= STABLE}


@each
def test_records_and_predictions_are_distributed_as_in_training(
    populations: Populations,
    task: str,
) -> None:
    records = populations[task].draw(ROWS)
    indices = stability(task, records)
    assert not unstable(indices), indices
    described = manifest(MODELS / task)
    outputs = described["reference"]["predictions"]
    features = described["features"]
    assert len(indices) == len(features) + len(outputs)


@each
def test_counts_are_whole_numbers_and_measurements_are_not(
    populations: Populations,
    task: str,
) -> None:
    (record,) = populations[task].draw(1)
    for feature in manifest(MODELS / task)["features"]:
        name = feature["name"]
        value = record[name]
        assert type(value) is type(feature["example"]), name


@each
def test_half_a_deviation_moves_one_feature_alone(task: str) -> None:
    shifted = population(task, seed=2)
    name = shifted.numbers[0]
    shifted.shift(name, 0.5)
    # The API's validation refuses values outside a feature's range.
    indices = stability(task, shifted.draw(ROWS))
    assert unstable(indices) - OUTPUTS == {name}
    assert indices[name] > 0.1


def test_a_far_shift_ends_at_the_range(populations: Populations) -> None:
    shifted = population("iris", seed=2)
    shifted.shift("petal_width", 50)
    for record in shifted.draw(10):
        assert record["petal_width"] == 4.0


@each
def test_the_truth_is_as_far_off_as_the_holdout_says(
    populations: Populations,
    task: str,
) -> None:
    drawn = populations[task]
    answers = model_of(task).predict(drawn.draw(ROWS))
    predictions = np.array([answer["prediction"] for answer in answers])
    truths = np.array([drawn.truth(answer) for answer in answers])
    described = manifest(MODELS / task)
    metrics = described["holdout"]["metrics"]
    if described["kind"] == "regression":
        errors = predictions - truths
        rmse = np.sqrt(np.mean(errors**2))
        expected = metrics["rmse"]["value"]
        # The errors are a little smaller, because the target's range limits them.
        assert rmse == pytest.approx(expected, rel=0.05)
        assert truths.min() >= 0
        assert truths.max() <= 6
    else:
        accuracy = np.mean(predictions == truths)
        expected = metrics["accuracy"]["value"]
        assert accuracy == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("kind", ["normal", "slow", "drifted"])
def test_each_task_gets_exactly_the_rows(populations: Populations, kind: str) -> None:
    _, longest = LONG
    rows = dict.fromkeys(TASKS, 0)
    random = np.random.default_rng(3)
    questions = ask(kind, list(populations.values()), 5_001, random)
    for question in questions:
        _, _, task = question.path.rpartition("/")
        records, _ = model_of(task).validator.parse(question.body)
        assert len(records) == question.rows
        assert question.rows <= longest
        rows[task] += question.rows
    assert rows == dict.fromkeys(TASKS, 5_001)


def refusal(question: Question) -> int:
    """Return the status of the error for a request."""
    _, _, task = question.path.rpartition("/")
    if task not in TASKS:
        return 404
    with pytest.raises(ApiError) as refused:
        model_of(task).validator.parse(question.body)
    return refused.value.status


def test_faulty_requests_are_of_every_kind_and_all_refused(
    populations: Populations,
) -> None:
    random = np.random.default_rng(4)
    bodies = set()
    statuses: Counter[int] = Counter()
    for question in ask("errors", list(populations.values()), 7, random):
        bodies.add(question.body)
        statuses[refusal(question)] += 1
    assert len(bodies) > 15
    assert statuses == {422: 15, 404: 3, 413: 3}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "http://[::1"])
def test_no_api_is_one_sentence(url: str, capsys: Capture) -> None:
    arguments = ["--task", "iris", "--url", url]
    assert commands.run(main, arguments) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert url in message
    assert message.count("\n") == 1


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
def test_wrong_options_are_refused_with_a_reason(
    arguments: list[str],
    words: str,
    capsys: Capture,
) -> None:
    assert commands.run(main, arguments) == 2
    assert words in capsys.readouterr().err


def test_before_the_first_model_there_is_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setattr(program, "MODELS", tmp_path / "models")
    assert commands.run(main, []) == 1
    message = capsys.readouterr().err
    assert "holds no model" in message
    assert "pipeline publish" in message
    assert message.count("\n") == 1
