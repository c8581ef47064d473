"""A model's folder is served only if everything in it fits together."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.serving.model import Model, ModelError
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, edit, golden, manifest


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        Model(folder)
    return str(caught.value)


@pytest.mark.parametrize("task", TASKS)
def test_the_models_of_the_repository_answer_as_recorded(task: str) -> None:
    model = Model(MODELS / task)
    expected = model.manifest.golden.answer
    answer = model.predict([golden(task)])[0]
    if model.manifest.target.classes:
        assert (
            answer["prediction"]
            == model.manifest.target.classes[int(np.argmax(expected))]
        )
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert answer["confidence"] == max(answer["probabilities"].values())
    else:
        assert answer["prediction"] == pytest.approx(
            expected, abs=model.manifest.tolerance
        )


@pytest.mark.parametrize("task", TASKS)
def test_a_batch_is_answered_row_by_row(task: str) -> None:
    model = Model(MODELS / task)
    number = next(f for f in model.manifest.features if f.type == "number")
    assert number.low is not None
    assert number.high is not None
    values = np.linspace(number.low, number.high, 50)
    records = [golden(task) | {number.name: float(value)} for value in values]
    one_by_one = np.vstack([model.run([record]) for record in records])
    np.testing.assert_allclose(model.run(records), one_by_one, rtol=1e-5, atol=1e-6)


def test_a_file_with_one_byte_changed_is_refused(folder: Path) -> None:
    path = folder / "iris" / "model.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "SHA-256 differs" in refusal(folder / "iris")


def test_a_file_that_was_cut_off_is_refused(folder: Path) -> None:
    path = folder / "iris" / "model.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    assert "SHA-256 differs" in refusal(folder / "iris")


def test_a_file_that_is_no_model_is_refused_even_with_the_right_hash(
    folder: Path,
) -> None:
    (folder / "iris" / "model.onnx").write_bytes(b"no model")
    edit(folder / "iris", sha256=hashlib.sha256(b"no model").hexdigest())
    assert "model.onnx cannot be opened" in refusal(folder / "iris")


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / "iris" / name).unlink()
    assert (
        refusal(folder / "iris") == f"{name} cannot be read: No such file or directory"
    )


def test_the_manifest_of_another_task_is_refused(folder: Path) -> None:
    other = (folder / "housing" / "model.onnx").read_bytes()
    (folder / "iris" / "model.onnx").write_bytes(other)
    edit(folder / "iris", sha256=manifest(folder / "housing")["sha256"])
    assert "not the features" in refusal(folder / "iris")


@pytest.mark.parametrize(
    ("task", "answer"),
    [("housing", 2.5), ("iris", [1, 0, 0]), ("iris", 0.7), ("housing", [1.5, 1.5])],
)
def test_another_answer_than_the_recorded_one_is_refused(
    folder: Path, task: str, answer: object
) -> None:
    request = manifest(folder / task)["golden"]["request"]
    edit(folder / task, golden={"request": request, "answer": answer})
    assert "the golden request is answered with" in refusal(folder / task)


def test_a_recorded_request_that_is_not_valid_is_refused(folder: Path) -> None:
    edit(folder / "housing", golden={"request": HOUSE | {"MedInc": -1}, "answer": 1})
    assert "the golden request cannot be answered" in refusal(folder / "housing")


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
    folder: Path, changes: dict[str, Any], place: str
) -> None:
    edit(folder / "housing", **changes)
    assert place in refusal(folder / "housing")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', "\x00"])
def test_a_manifest_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "iris" / "manifest.json").write_text(text)
    assert refusal(folder / "iris").startswith("manifest.json: ")


def test_keys_that_only_people_read_are_kept(folder: Path) -> None:
    edit(folder / "iris", remark="by hand")
    assert (
        json.loads(Model(folder / "iris").manifest.model_dump_json())["remark"]
        == "by hand"
    )
