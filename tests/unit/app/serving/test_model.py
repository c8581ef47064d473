"""A model's folder is served only if everything in it fits together."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from app.serving.model import Model, ModelError
from tests.support.json_content import Json
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, edit, golden, manifest


@pytest.fixture
def iris_folder(folder: Path) -> Path:
    """The folder of a model of a classification."""
    return folder / "iris"


@pytest.fixture
def housing_folder(folder: Path) -> Path:
    """The folder of a model of a regression."""
    return folder / "housing"


def refusal(folder: Path) -> str:
    """Return the message that a model's folder is refused with."""
    with pytest.raises(ModelError) as caught:
        Model(folder)
    return str(caught.value)


@pytest.mark.parametrize("task", ["iris", "credit"])
def test_a_classification_answers_as_recorded(task: str) -> None:
    model = Model(MODELS / task)
    recorded = model.manifest.golden.answer
    (answer,) = model.predict([golden(task)])
    most_likely = int(np.argmax(recorded))
    assert answer["prediction"] == model.manifest.target.classes[most_likely]
    probabilities = answer["probabilities"].values()
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert answer["confidence"] == max(probabilities)


def test_a_regression_answers_as_recorded() -> None:
    model = Model(MODELS / "housing")
    recorded = model.manifest.golden.answer
    (answer,) = model.predict([golden("housing")])
    tolerance = model.manifest.tolerance
    assert answer["prediction"] == pytest.approx(recorded, abs=tolerance)


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_is_answered_row_by_row(task: str) -> None:
    model = Model(MODELS / task)
    numbers = [one for one in model.manifest.features if one.type == "number"]
    feature = numbers[0]
    assert feature.low is not None
    assert feature.high is not None
    records = []
    for value in np.linspace(feature.low, feature.high, 50):
        record = golden(task)
        record[feature.name] = float(value)
        records.append(record)
    one_by_one = np.vstack([model.run([record]) for record in records])
    together = model.run(records)
    np.testing.assert_allclose(together, one_by_one, rtol=1e-5, atol=1e-6)


def test_a_file_with_one_byte_changed_is_refused(iris_folder: Path) -> None:
    path = iris_folder / "model.onnx"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    path.write_bytes(content)
    assert "SHA-256 differs" in refusal(iris_folder)


def test_a_file_that_was_cut_off_is_refused(iris_folder: Path) -> None:
    path = iris_folder / "model.onnx"
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    assert "SHA-256 differs" in refusal(iris_folder)


def test_a_file_that_is_not_a_model_is_refused_even_with_the_right_digest(
    iris_folder: Path,
) -> None:
    content = b"not a model"
    (iris_folder / "model.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    edit(iris_folder, sha256=digest)
    assert "model.onnx cannot be opened" in refusal(iris_folder)


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_named(iris_folder: Path, name: str) -> None:
    (iris_folder / name).unlink()
    expected = f"{name} cannot be read: No such file or directory"
    assert refusal(iris_folder) == expected


def test_the_model_of_another_task_is_refused(
    iris_folder: Path, housing_folder: Path
) -> None:
    content = (housing_folder / "model.onnx").read_bytes()
    (iris_folder / "model.onnx").write_bytes(content)
    digest = manifest(housing_folder)["sha256"]
    edit(iris_folder, sha256=digest)
    assert "not the features" in refusal(iris_folder)


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        ("housing", 2.5),
        ("iris", [1, 0, 0]),
        ("iris", 0.7),
        ("housing", [1.5, 1.5]),
    ],
)
def test_another_answer_than_the_recorded_one_is_refused(
    folder: Path, task: str, answer: object
) -> None:
    recorded = manifest(folder / task)["golden"]
    recorded["answer"] = answer
    edit(folder / task, golden=recorded)
    assert "the golden request is answered with" in refusal(folder / task)


def test_a_recorded_request_that_is_not_valid_is_refused(housing_folder: Path) -> None:
    recorded = {
        "request": HOUSE | {"MedInc": -1},
        "answer": 1,
    }
    edit(housing_folder, golden=recorded)
    assert "the golden request cannot be answered" in refusal(housing_folder)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"format": 2}, "format"),
        ({"version": "new"}, "version"),
        ({"kind": "classification"}, "a classification has 0 classes"),
        ({"features": None}, "features"),
    ],
)
def test_a_manifest_of_another_form_is_refused(
    housing_folder: Path, changes: Json, place: str
) -> None:
    edit(housing_folder, **changes)
    assert place in refusal(housing_folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "\x00"])
def test_a_file_that_is_not_a_manifest_is_refused(iris_folder: Path, text: str) -> None:
    (iris_folder / "manifest.json").write_text(text)
    assert refusal(iris_folder).startswith("manifest.json: ")


def test_keys_that_only_people_read_are_kept(iris_folder: Path) -> None:
    edit(iris_folder, remark="for the record")
    model = Model(iris_folder)
    content = json.loads(model.manifest.model_dump_json())
    assert content["remark"] == "for the record"
