"""A model made again from its run is the one that the run had, or is not written."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from core.errors import PipelineError, UsageError
from core.files import sha256_file
from core.onnx_model import OnnxModel
from history.runfile import Run
from pipeline import tasks
from pipeline.data import fetch as data
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.train import estimators, evaluate
from pipeline.train import export as onnx
from pipeline.train.remake import export
from tests.support.history_factories import add_run, model_id, new_workspace, promote

TASK = tasks.load("iris")
SEED, SHARE = 7, 0.25
FOREST = {"n_estimators": 3, "min_samples_leaf": 2}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.open(new_workspace(tmp_path / "clone").root)


def parent_of(repo: Repo, **changes: Any) -> Run:
    """Record a training's own run."""
    digest = data.fetch(TASK, repo).digest
    params = {"seed": str(SEED), "holdout_share": str(SHARE), "exclude": "petal_width"}
    tags = {"digest.data": digest, "mlflow.source.git.commit": "c" * 40} | changes
    return add_run(repo.mlruns, experiment="iris", params=params, tags=tags)


def candidate(
    repo: Repo,
    parent: Run,
    algorithm: str,
    judged: float,
    kept: bool = False,
    **parameters: Any,
) -> Run:
    """Fit a candidate as a training does, and record its run, with its ONNX file or
    without.
    """
    features = [feature for feature in TASK.features if feature.name != "petal_width"]
    table = data.fetch(TASK, repo).table
    held = tables.in_holdout(TASK, table, SHARE)
    pipeline = estimators.build(TASK.kind, algorithm, parameters, features, SEED)
    train = table[~held]
    pipeline.fit(estimators.as_inputs(features, train), evaluate.encode(TASK, train))
    content = onnx.to_onnx(TASK, features, pipeline)
    predicted = OnnxModel(content).predict(estimators.as_inputs(features, table[held]))
    found = evaluate.metrics(TASK, evaluate.encode(TASK, table[held]), predicted)
    metrics = {f"holdout_{name}": [(value, 0, 0)] for name, value in found.items()}
    texts = {key: str(value) for key, value in parameters.items()}
    return add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": content}} if kept else None,
        experiment="iris",
        parent=parent.run_id,
        params={"algorithm": algorithm} | texts,
        metrics=metrics | {"cv_log_loss_mean": [(judged, 0, 0)]},
        tags={"mlflow.source.git.commit": "c" * 40},
    )


def described(repo: Repo, algorithm: str) -> dict[str, Any]:
    path = repo.root / "models" / f"{algorithm}_best_model_metadata.json"
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def test_the_champion_is_made_again_byte_for_byte(repo: Repo) -> None:
    run = candidate(repo, parent_of(repo), "random_forest", 0.5, kept=True, **FOREST)
    promote(repo, run, "iris")
    made = export(repo, "iris", None, "onnx")
    assert made.path == repo.root / "models" / "random_forest_best_model.onnx"
    assert "byte for byte" in made.compared
    assert sha256_file(made.path) == run.models[0].artifacts[0].sha256
    about = described(repo, "random_forest")
    assert (about["task"], about["run_id"], about["registered_versions"]) == (
        "iris",
        run.run_id,
        [1],
    )
    assert about["parameters"] == FOREST
    assert about["features"] == ["sepal_length", "sepal_width", "petal_length"]
    assert about["files"][made.path.name]["sha256"] == sha256_file(made.path)


def test_a_joblib_file_predicts_the_same_and_says_that_it_runs_code(repo: Repo) -> None:
    promote(
        repo,
        candidate(repo, parent_of(repo), "random_forest", 0.5, kept=True, **FOREST),
        "iris",
    )
    served = export(repo, "iris", None, "onnx")
    made = export(repo, "iris", None, "joblib")
    fitted = joblib.load(made.path)
    inputs = estimators.as_inputs(list(TASK.features), data.fetch(TASK, repo).table)
    expected = OnnxModel(served.path).predict(inputs)
    assert np.allclose(fitted.predict_proba(inputs), expected, atol=TASK.tolerance)
    about = described(repo, "random_forest")
    assert about["files"].keys() == {served.path.name, made.path.name}
    assert "runs whatever code is in it" in about["warning"]


def test_the_best_run_of_an_algorithm_is_compared_by_its_metrics(repo: Repo) -> None:
    parent = parent_of(repo)
    candidate(repo, parent, "random_forest", 0.6, n_estimators=2)
    best = candidate(repo, parent, "random_forest", 0.4, **FOREST)
    candidate(repo, parent, "dummy", 0.1)
    made = export(repo, "iris", "random_forest", "onnx")
    assert made.run.run_id == best.run_id
    assert "has the run's metrics" in made.compared


def test_a_model_that_is_not_as_it_was_is_not_written(repo: Repo) -> None:
    parent = parent_of(repo)
    promote(
        repo, candidate(repo, parent, "random_forest", 0.5, kept=True, **FOREST), "iris"
    )
    changed = add_run(
        repo.mlruns,
        models={
            model_id(): {
                "model.onnx": (repo.models / "iris" / "model.onnx").read_bytes()
            }
        },
        experiment="iris",
        parent=parent.run_id,
        params={"algorithm": "linear_discriminant"},
        tags={"mlflow.source.git.commit": "c" * 40},
    )
    promote(repo, changed, "iris")
    with pytest.raises(
        PipelineError, match=r"differs from .* on \d+ of \d+ rows.*Nothing was"
    ):
        export(repo, "iris", None, "joblib")
    assert not (repo.root / "models").exists()


def test_a_metric_that_is_not_the_runs_is_named(repo: Repo) -> None:
    parent = parent_of(repo)
    run = candidate(repo, parent, "random_forest", 0.5, **FOREST)
    params = run.params | {"n_estimators": "1"}
    metrics = run.metrics | {"cv_log_loss_mean": [(0.1, 0, 0)]}
    more = {"experiment": "iris", "parent": parent.run_id, "tags": run.tags}
    add_run(repo.mlruns, params=params, metrics=metrics, **more)
    with pytest.raises(PipelineError, match="the run has"):
        export(repo, "iris", "random_forest", "onnx")
    assert not (repo.root / "models").exists()


def test_other_data_are_named_with_the_commit_to_go_back_to(repo: Repo) -> None:
    parent = parent_of(repo, **{"digest.data": "0" * 64})
    candidate(repo, parent, "dummy", 0.5)
    with pytest.raises(
        PipelineError, match="the data of iris are not those .* commit cccccccccccc"
    ):
        export(repo, "iris", "dummy", "onnx")


def test_what_cannot_be_made_is_one_sentence(repo: Repo) -> None:
    with pytest.raises(UsageError, match="iris has no champion yet: name an algorithm"):
        export(repo, "iris", None, "onnx")
    with pytest.raises(
        UsageError, match="iris has no run of 'ridge'; its algorithms are: none"
    ):
        export(repo, "iris", "ridge", "onnx")
    lone = add_run(
        repo.mlruns, models={model_id(): {"model.onnx": b"m"}}, experiment="iris"
    )
    promote(repo, lone, "iris")
    with pytest.raises(
        PipelineError, match="it is not a candidate of `pipeline train`"
    ):
        export(repo, "iris", None, "onnx")


@pytest.mark.parametrize(
    ("content", "said"),
    [('{"task": "credit"}', "is of the task credit"), ("{", "move it away")],
)
def test_a_model_of_another_task_is_not_replaced(
    repo: Repo, content: str, said: str
) -> None:
    candidate(repo, parent_of(repo), "dummy", 0.5)
    path = repo.root / "models" / "dummy_best_model_metadata.json"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        export(repo, "iris", "dummy", "onnx")
    assert path.read_text("utf-8") == content
