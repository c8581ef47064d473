"""What every task must say of itself, and that a file is all that a new one needs."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.errors import PipelineError, UsageError
from pipeline import tasks
from pipeline.data.validate import validate
from pipeline.schema import Feature
from pipeline.train.behavioural_tests import example
from pipeline.train.evaluate import METRICS, higher_is_better
from tests.support import strategies

OURS = "credit", "housing", "iris"
IRIS = (tasks.FOLDER / "iris.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in tasks.names() if name in OURS])
def test_the_template_s_tasks_are_described_in_full(name: str) -> None:
    task = tasks.load(name)
    for feature in task.features:
        assert feature.description and (
            feature.categories or feature.unit
        ), feature.name
    assert task.target.description
    assert task.limits
    assert task.licence
    assert re.fullmatch(r"[0-9a-f]{64}", task.digest)
    assert task.homepage.startswith("https://")
    assert {behaviour.expect for behaviour in task.behaviours.values()} & {
        "higher",
        "lower",
    }


@pytest.mark.parametrize("name", tasks.names())
def test_a_task_can_be_judged_and_asked(name: str) -> None:
    task = tasks.load(name)
    assert task.metric.name in METRICS[task.kind]
    assert set(task.thresholds) <= {*METRICS[task.kind]}
    assert task.metric.higher_is_better is higher_is_better(task.metric.name)
    target = task.target.classes[0] if task.target.classes else 1.0
    row = pd.DataFrame([example(task) | {task.target.name: target}])
    assert len(validate(task, row, "example")) == 1


@pytest.mark.parametrize("name", tasks.names())
def test_behaviours_speak_of_features_and_allowed_values(name: str) -> None:
    task = tasks.load(name)
    features = {feature.name: feature for feature in task.features}
    for claim, behaviour in task.behaviours.items():
        moved = {c: features[c].example + by for c, by in behaviour.add.items()}  # type: ignore
        for column, value in [
            *behaviour.changes.items(),
            *behaviour.given.items(),
            *moved.items(),
        ]:
            assert features[column].allows(value), claim


def test_a_new_file_is_a_new_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flowers.yaml").write_text(IRIS, "utf-8")
    monkeypatch.setattr(tasks, "FOLDER", tmp_path)
    assert tasks.names() == ["flowers"]
    assert tasks.load("flowers").name == "flowers"
    assert len(strategies.table(tasks.load("flowers"), 5)) == 5


@pytest.mark.parametrize(
    "content, words",
    [
        ("", r"pipeline/tasks/broken\.yaml: file: Input should be a dictionary"),
        ("title: [", r"broken\.yaml: not valid YAML: .* line 1"),
        ("title: 1", r"broken\.yaml: title: Input should be a valid string"),
        (IRIS.replace("kind:", "kin:"), r"broken\.yaml: kind: "),
        (IRIS + "tilte: x", r"broken\.yaml: tilte: Unexpected keyword argument"),
        (
            IRIS.replace("readers.iris", "readers.rose"),
            r"broken\.yaml: sources\.0\.read: .*rose",
        ),
        (
            IRIS.replace("name: sepal_length", "name: a b"),
            r"broken\.yaml: features\.0\.name: String should match pattern",
        ),
    ],
)
def test_a_broken_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, words: str
) -> None:
    (tmp_path / "broken.yaml").write_text(content, "utf-8")
    monkeypatch.setattr(tasks, "FOLDER", tmp_path)
    with pytest.raises(PipelineError, match=words):
        tasks.load("broken")


def test_an_unknown_task_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=f"no task 'rain': choose from {', '.join(tasks.names())}"
    ):
        tasks.load("rain")


def test_a_feature_checks_itself() -> None:
    with pytest.raises(ValueError, match="give it low and high, or categories"):
        Feature("a", "", 1)
    with pytest.raises(ValueError, match="its example 3 is not allowed"):
        Feature("a", "", 3, low=0, high=2)
    assert not Feature("a", "", "x", categories=("x",)).allows(1)


def test_tasks_are_read_without_the_heavy_libraries() -> None:
    code = (
        "import sys; from pipeline import tasks; [tasks.load(n) for n in"
        " tasks.names()]; "
    )
    code += "print(sorted({'pandas', 'sklearn', 'mlflow', 'onnx'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
