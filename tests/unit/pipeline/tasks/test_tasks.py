"""What the file of a task must have, and that a new task needs no more than a file."""

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
# Prints the heavy libraries that are imported when all tasks are loaded.
LOADED = """
import sys
from pipeline import tasks

for name in tasks.names():
    tasks.load(name)
libraries = {"pandas", "sklearn", "mlflow", "onnx"}
print(sorted(libraries.intersection(sys.modules)))
"""
IRIS = (tasks.FOLDER / "iris.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in tasks.names() if name in OURS])
def test_the_template_s_tasks_are_described_in_full(name: str) -> None:
    task = tasks.load(name)
    for feature in task.features:
        assert feature.description, feature.name
        assert feature.categories or feature.unit, feature.name
    assert task.target.description
    assert task.limits
    assert task.licence
    assert re.fullmatch(r"[0-9a-f]{64}", task.digest)
    assert task.homepage.startswith("https://")
    expectations = {test.expect for test in task.behaviours.values()}
    assert expectations.intersection(["higher", "lower"])


@pytest.mark.parametrize("name", tasks.names())
def test_the_metrics_of_a_task_exist(name: str) -> None:
    task = tasks.load(name)
    metric = task.metric
    metrics = METRICS[task.kind]
    assert metric.name in metrics
    assert set(task.thresholds).issubset(metrics)
    assert metric.higher_is_better is higher_is_better(metric.name)


@pytest.mark.parametrize("name", tasks.names())
def test_the_examples_of_a_task_are_a_valid_row(name: str) -> None:
    task = tasks.load(name)
    target = task.target
    row = example(task)
    row[target.name] = target.classes[0] if target.classes else 1.0
    table = pd.DataFrame([row])
    assert len(validate(task, table, "example")) == 1


@pytest.mark.parametrize("name", tasks.names())
def test_behavioural_tests_have_features_and_allowed_values(name: str) -> None:
    task = tasks.load(name)
    features = {feature.name: feature for feature in task.features}
    for title, test in task.behaviours.items():
        values = [*test.changes.items(), *test.given.items()]
        for column, summand in test.add.items():
            value = features[column].example + summand  # type: ignore[operator]
            values.append((column, value))
        for column, value in values:
            assert features[column].allows(value), title


def test_a_new_file_is_a_new_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flowers.yaml").write_text(IRIS, "utf-8")
    monkeypatch.setattr(tasks, "FOLDER", tmp_path)
    assert tasks.names() == ["flowers"]
    task = tasks.load("flowers")
    assert task.name == "flowers"
    assert len(strategies.table(task, 5)) == 5


@pytest.mark.parametrize(
    "content, message",
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
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    message: str,
) -> None:
    (tmp_path / "broken.yaml").write_text(content, "utf-8")
    monkeypatch.setattr(tasks, "FOLDER", tmp_path)
    with pytest.raises(PipelineError, match=message):
        tasks.load("broken")


def test_an_unknown_task_is_refused_with_the_choice() -> None:
    choice = ", ".join(tasks.names())
    with pytest.raises(UsageError, match=f"no task 'rain': choose from {choice}"):
        tasks.load("rain")


def test_a_feature_checks_itself() -> None:
    with pytest.raises(ValueError, match="give it low and high, or categories"):
        Feature("a", "", 1)
    with pytest.raises(ValueError, match="its example 3 is not allowed"):
        Feature("a", "", 3, low=0, high=2)
    feature = Feature("a", "", "x", categories=("x",))
    assert not feature.allows(1)


def test_tasks_are_read_without_the_heavy_libraries() -> None:
    process = subprocess.run(
        [sys.executable, "-c", LOADED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout == "[]\n"
