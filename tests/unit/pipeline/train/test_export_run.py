"""A model that is fitted again equals the model of its run, or is not written."""

import json
from pathlib import Path

import joblib
import numpy as np
import pytest

from core.errors import PipelineError, UsageError
from core.files import sha256_file
from core.onnx_model import OnnxModel
from pipeline.data import fetch as data
from pipeline.repo import Repo
from pipeline.train import estimators
from pipeline.train.export_run import export
from tests.support.history_factories import add_run, model_id, new_workspace, promote
from tests.support.json_content import Json
from tests.unit.pipeline.train.past_runs import (
    COMMIT,
    FOREST,
    TASK,
    add_candidate,
    add_champion,
    add_parent,
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    workspace = new_workspace(tmp_path / "clone")
    return Repo.open(workspace.root)


def metadata_path(repo: Repo, algorithm: str) -> Path:
    return repo.root / "models" / f"{algorithm}_best_model_metadata.json"


def read_metadata(repo: Repo, algorithm: str) -> Json:
    path = metadata_path(repo, algorithm)
    content: Json = json.loads(path.read_bytes())
    return content


def test_the_champion_is_made_again_byte_for_byte(repo: Repo) -> None:
    run = add_champion(repo)
    exported = export(repo, "iris", None, "onnx")
    assert exported.path == repo.root / "models" / "random_forest_best_model.onnx"
    assert "byte for byte" in exported.comparison
    digest = sha256_file(exported.path)
    assert digest == run.models[0].artifacts[0].sha256

    metadata = read_metadata(repo, "random_forest")
    assert metadata["task"] == "iris"
    assert metadata["run_id"] == run.run_id
    assert metadata["registered_versions"] == [1]
    assert metadata["parameters"] == FOREST
    assert metadata["features"] == ["sepal_length", "sepal_width", "petal_length"]
    entry = metadata["files"][exported.path.name]
    assert entry["sha256"] == digest


def test_a_joblib_file_predicts_the_same_and_warns_that_it_runs_code(
    repo: Repo,
) -> None:
    add_champion(repo)
    onnx = export(repo, "iris", None, "onnx")
    exported = export(repo, "iris", None, "joblib")
    pipeline = joblib.load(exported.path)
    table = data.fetch(TASK, repo).table
    inputs = estimators.as_inputs(list(TASK.features), table)
    expected = OnnxModel(onnx.path).predict(inputs)
    predicted = pipeline.predict_proba(inputs)
    assert np.allclose(predicted, expected, atol=TASK.tolerance)

    metadata = read_metadata(repo, "random_forest")
    names = {onnx.path.name, exported.path.name}
    assert metadata["files"].keys() == names
    assert "runs whatever code is in it" in metadata["warning"]


def test_the_best_run_of_an_algorithm_is_compared_by_its_metrics(repo: Repo) -> None:
    parent = add_parent(repo)
    add_candidate(repo, parent, "random_forest", 0.6, n_estimators=2)
    best = add_candidate(repo, parent, "random_forest", 0.4, **FOREST)
    add_candidate(repo, parent, "dummy", 0.1)
    exported = export(repo, "iris", "random_forest", "onnx")
    assert exported.run.run_id == best.run_id
    assert "has the run's metrics" in exported.comparison


def test_a_model_that_predicts_otherwise_is_not_written(repo: Repo) -> None:
    run = add_champion(repo)
    served = repo.models / "iris" / "model.onnx"
    # The file is a forest's, the run is one of another algorithm.
    changed = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": served.read_bytes()}},
        experiment="iris",
        parent=run.parent,
        params={"algorithm": "linear_discriminant"},
        tags={"mlflow.source.git.commit": COMMIT},
    )
    promote(repo, changed, "iris")
    message = r"differs from .* on \d+ of \d+ rows.*Nothing was"
    with pytest.raises(PipelineError, match=message):
        export(repo, "iris", None, "joblib")
    assert not (repo.root / "models").exists()


def test_a_metric_that_differs_from_the_runs_is_named(repo: Repo) -> None:
    parent = add_parent(repo)
    run = add_candidate(repo, parent, "random_forest", 0.5, **FOREST)
    # A better run, with the metrics of a larger forest.
    add_run(
        repo.mlruns,
        experiment="iris",
        parent=parent.run_id,
        params=run.params | {"n_estimators": "1"},
        metrics=run.metrics | {"cv_log_loss_mean": [(0.1, 0, 0)]},
        tags=run.tags,
    )
    with pytest.raises(PipelineError, match="the run has"):
        export(repo, "iris", "random_forest", "onnx")
    assert not (repo.root / "models").exists()


def test_other_data_are_named_with_the_commit_to_go_back_to(repo: Repo) -> None:
    other = {"digest.data": "0" * 64}
    parent = add_parent(repo, **other)
    add_candidate(repo, parent, "dummy", 0.5)
    message = "the data of iris are not those .* commit cccccccccccc"
    with pytest.raises(PipelineError, match=message):
        export(repo, "iris", "dummy", "onnx")


def test_a_task_without_a_champion_or_a_run_is_reported(repo: Repo) -> None:
    with pytest.raises(UsageError, match="iris has no champion yet: name an algorithm"):
        export(repo, "iris", None, "onnx")
    message = "iris has no run of 'ridge'; its algorithms are: none"
    with pytest.raises(UsageError, match=message):
        export(repo, "iris", "ridge", "onnx")


def test_a_run_that_is_not_a_candidate_is_reported(repo: Repo) -> None:
    models = {model_id(): {"model.onnx": b"m"}}
    lone = add_run(repo.mlruns, models=models, experiment="iris")
    promote(repo, lone, "iris")
    message = "it is not a candidate of `pipeline train`"
    with pytest.raises(PipelineError, match=message):
        export(repo, "iris", None, "onnx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"task": "credit"}', "is of the task credit"),
        ("{", "move it away"),
    ],
)
def test_a_model_of_another_task_is_not_replaced(
    repo: Repo, content: str, message: str
) -> None:
    parent = add_parent(repo)
    add_candidate(repo, parent, "dummy", 0.5)
    path = metadata_path(repo, "dummy")
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        export(repo, "iris", "dummy", "onnx")
    assert path.read_text("utf-8") == content
