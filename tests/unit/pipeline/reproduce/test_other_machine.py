"""A run of another kind of machine is equivalent within the task's tolerance."""

import json
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from core.file_names import MODEL
from core.files import sha256_file
from pipeline.cli import main
from pipeline.reproduce import again
from pipeline.reproduce.result import Difference, Reproduction
from pipeline.reproduce.tolerance import explain
from pipeline.run_finder import RunFinder
from pipeline.verification import open_history
from tests.conftest import posix
from tests.support.run_factories import run
from tests.unit.pipeline.reproduce.small_trainer import SmallTrainer

# The environment of the tests is a symbolic link.
pytestmark = posix
OTHER = "Plan9 mips"
METRIC = "holdout_log_loss"


@pytest.fixture
def other(trainer: SmallTrainer) -> SmallTrainer:
    """A history whose run was made on another machine."""
    trainer.edit(trainer.training_id, '"tags": {', f'"tags": {{"machine": "{OTHER}", ')
    return trainer


def reproduce(trainer: SmallTrainer, name: str = "iris") -> Reproduction:
    with open_history(trainer.repo) as history:
        recorded = RunFinder(trainer.repo, history).one(name)
        return again.reproduce(trainer.repo, history, recorded, print)


def run_file(trainer: SmallTrainer) -> Path:
    (path,) = trainer.repo.mlruns.glob(f"iris/*/{trainer.run_id}/run.json")
    return path


def change_metric(trainer: SmallTrainer, by: float) -> None:
    path = run_file(trainer)
    content = json.loads(path.read_bytes())
    content["metrics"][METRIC][0][0] += by
    path.write_text(json.dumps(content), "utf-8")


def change_artifact(trainer: SmallTrainer) -> None:
    path = run_file(trainer)
    content = json.loads(path.read_bytes())
    content["artifacts"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(content), "utf-8")


def change_model(trainer: SmallTrainer, by: float) -> None:
    """Let the history hold another model, whose predictions are that far away."""
    pattern = f"iris/*/{trainer.run_id}/models/*/{MODEL}"
    (file,) = trainer.repo.mlruns.glob(pattern)
    old = sha256_file(file)
    model = onnx.load(file)
    model.doc_string = "of another machine"
    nodes = model.graph.node
    (forest,) = [node for node in nodes if "TreeEnsemble" in node.op_type]
    for attribute in forest.attribute:
        if attribute.name == "class_weights":
            attribute.floats[:] = [value + by for value in attribute.floats]
    file.write_bytes(model.SerializeToString())
    entry = trainer.repo.mlruns / "registry" / "iris" / "1.json"
    for path in (run_file(trainer), entry):
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, sha256_file(file)), "utf-8")


def test_digits_and_bytes_within_the_tolerance_are_equivalent(
    other: SmallTrainer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_metric(other, 1e-9)
    change_artifact(other)
    change_model(other, 0)
    command = ["pipeline", "--repo", str(other.repo.root), "reproduce", "iris"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    first, within, predictions, machine = capsys.readouterr().out.splitlines()
    assert first.startswith("equivalent: iris v1 (run ")
    assert within == (
        f"  within the task's tolerance, as the run was made on {OTHER}: 3 model"
        " digests, 1 artifact, 1 metric"
    )
    assert predictions.startswith("  0 of ")
    assert machine.startswith(f"  not as it was then: machine: {OTHER} in the history")


def test_the_json_lists_what_was_tolerated(other: SmallTrainer) -> None:
    change_artifact(other)
    content = reproduce(other, other.training_id).to_json()
    assert content["verdict"] == "equivalent"
    assert content["same"] is False
    assert content["machine"] == OTHER
    (tolerated,) = content["tolerated"]
    assert tolerated["what"] == "random_forest, artifact evaluation.png"


def test_without_a_difference_it_is_the_same(other: SmallTrainer) -> None:
    result = reproduce(other)
    assert result.verdict == "same"
    assert [each.what for each in result.conditions] == ["machine"]


def test_a_metric_beyond_the_tolerance_differs(other: SmallTrainer) -> None:
    change_metric(other, 1e-3)
    change_artifact(other)
    result = reproduce(other)
    assert result.verdict == "differs"
    names = [each.what for each in result.differences]
    assert names == [f"metric {METRIC}"]
    assert [each.what for each in result.tolerated] == ["artifact evaluation.png"]


def test_a_model_with_other_predictions_differs(other: SmallTrainer) -> None:
    change_model(other, 0.01)
    result = reproduce(other)
    assert result.verdict == "differs"
    assert len(result.differences) == 3
    assert not result.predictions.startswith("0 of ")


def test_a_parameter_and_an_altered_registry_differ(other: SmallTrainer) -> None:
    other.edit(other.run_id, '"n_estimators": "3"', '"n_estimators": "4"')
    entry = other.repo.mlruns / "registry" / "iris" / "1.json"
    content = json.loads(entry.read_bytes())
    changed = content | {"sha256": "0" * 64}
    entry.write_text(json.dumps(changed), "utf-8")
    result = reproduce(other)
    assert {each.what for each in result.differences} == {
        "param n_estimators",
        "model digest in the registry",
    }
    assert not result.tolerated


def test_on_the_same_machine_the_last_digit_differs(trainer: SmallTrainer) -> None:
    change_metric(trainer, 1e-9)
    assert reproduce(trainer).verdict == "differs"


@pytest.mark.parametrize(
    ("recorded", "now", "is_tolerated"),
    [
        ("0.5", "0.500009", True),
        ("0.5", "0.50002", False),
        ("0.1, 0.2", "0.1, 0.200001", True),
        ("0.1, 0.2", "0.1", False),
        ("0.1", "nothing", False),
        ("nan", "0.1", False),
    ],
)
def test_every_step_of_a_metric_is_held_to_the_tolerance(
    recorded: str, now: str, is_tolerated: bool
) -> None:
    tags: dict[str, Any] = {"machine": OTHER}
    without_tags = run("a" * 32, "iris", None, {}, {})
    training = without_tags.model_copy(update={"tags": tags})
    difference = Difference("metric f1", recorded, now, "metric")
    explained = explain([difference], training, set())
    assert bool(explained.tolerated) is is_tolerated
    assert bool(explained.differing) is not is_tolerated
