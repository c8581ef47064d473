"""What `pipeline train` leaves in a bundle: the evidence, the runs and the models."""

import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from core.files import sha256_file
from core.onnx_model import OnnxModel
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.data import table as tables
from tests.support import strategies
from tests.support.json_content import Json
from tests.unit.pipeline.train.checkout import (
    Training,
    bundle_folder,
    parent_of,
    runs_of,
)

pytestmark = pytest.mark.slow


def read_manifest(folder: Path) -> Json:
    path = folder / "manifest.json"
    manifest: Json = json.loads(path.read_text("utf-8"))
    return manifest


def test_the_bundle_lists_the_runs_and_the_data(trained: Training) -> None:
    repo, bundle = trained
    folder = bundle_folder(repo)
    assert bundles.read(folder) == bundle
    assert bundle.dirty == []

    task = tasks.load("iris")
    result = bundle.tasks["iris"]
    assert len(result.run_ids) == 4
    assert result.run_ids[0] == result.parent_run
    assert result.data_digest == task.digest


def test_the_challenger_has_its_evidence(trained: Training) -> None:
    task = tasks.load("iris")
    challenger = trained.challenger("iris")
    assert challenger.algorithm == "linear_discriminant"
    assert challenger.parity.mismatches == 0
    assert challenger.holdout["accuracy"] > 0.9
    names = [check.name for check in challenger.behaviours]
    assert names == list(task.behaviours)


def test_the_bundle_has_the_snapshot_and_the_hold_out(trained: Training) -> None:
    folder = bundle_folder(trained.repo)
    snapshot = tables.read(folder / "data" / "iris.csv.gz")
    assert len(snapshot) == 150
    holdout = tables.read(folder / "holdout" / "iris.csv.gz")
    parity = trained.challenger("iris").parity
    assert len(holdout) == parity.rows


def test_the_parent_run_has_what_a_training_depends_on(trained: Training) -> None:
    repo, bundle = trained
    runs = runs_of(repo, "iris")
    parent = runs[f"iris {bundle.commit[:7]}"]
    assert parent.params["challenger"] == "linear_discriminant"
    assert parent.tags["mlflow.source.git.commit"] == bundle.commit
    assert parent.tags["git.dirty"] == "false"
    assert parent.tags["git.branch"] == "main"
    assert parent.tags["digest.data"] == bundle.tasks["iris"].data_digest
    required = {
        "digest.code",
        "digest.params",
        "machine",
        "version.python",
        "version.scikit-learn",
    }
    assert parent.tags.keys() >= required


def test_a_candidate_s_run_has_its_metrics_and_artifacts(trained: Training) -> None:
    repo, bundle = trained
    run = runs_of(repo, "iris")["linear_discriminant"]
    assert run.parent == bundle.tasks["iris"].parent_run
    assert run.status == "FINISHED"
    steps = [step for _, _, step in run.metrics["fold_log_loss"]]
    assert steps == [0, 1, 2]
    required = {
        "cv_log_loss_mean",
        "cv_log_loss_std",
        "holdout_roc_auc",
        "fit_seconds",
        "latency_ms",
        "model_bytes",
        "parity_mismatches",
        "parity_largest_difference",
    }
    assert run.metrics.keys() >= required
    digest = bundle.tasks["iris"].data_digest
    assert run.datasets[0].digest == digest[:32]
    paths = {artifact.path for artifact in run.artifacts}
    assert paths == {"evaluation.png", "permutation_importance.csv"}
    for artifact in run.artifacts:
        assert artifact.size < 15_000


def test_a_candidate_that_failed_has_a_failed_run_with_its_reason(
    trained: Training,
) -> None:
    failed = runs_of(trained.repo, "iris")["logistic_regression"]
    assert failed.status == "FAILED"
    assert "'C' parameter" in failed.tags["failure"]
    parent = parent_of(trained.repo, "iris")
    assert parent.status == "FINISHED"
    assert "logistic_regression: " in parent.tags["failure"]


def test_the_model_comes_with_all_that_serving_needs(trained: Training) -> None:
    digest = trained.challenger("housing").sha256
    folder = trained.model_folder("housing")
    assert sha256_file(folder / "model.onnx") == digest
    manifest = read_manifest(folder)
    assert manifest["format"] == 1
    assert manifest["sha256"] == digest
    golden = manifest["golden"]
    request = pd.DataFrame([golden["request"]])
    model = OnnxModel(folder / "model.onnx")
    answer = model.predict(request)[0]
    assert golden["answer"] == pytest.approx(answer, rel=1e-5)


def test_the_manifest_has_the_features_that_are_used(trained: Training) -> None:
    folder = trained.model_folder("housing")
    manifest = read_manifest(folder)
    names = [feature["name"] for feature in manifest["features"]]
    assert len(names) == 7
    assert "Population" not in names
    references = manifest["reference"]["features"]
    for name in names:
        shares = references[name]["shares"]
        edges = references[name]["edges"]
        assert len(shares) == len(edges) + 1
        assert sum(shares) == pytest.approx(1, abs=1e-4)


def test_the_manifest_has_intervals_a_baseline_and_the_worst_slices(
    trained: Training,
) -> None:
    folder = trained.model_folder("housing")
    manifest = read_manifest(folder)
    baseline = manifest["baseline"]["rmse"]
    rmse = manifest["holdout"]["metrics"]["rmse"]
    assert rmse["low"] < rmse["value"]
    assert rmse["value"] < rmse["high"]
    assert rmse["high"] < baseline
    slices = [part["rmse"] for part in manifest["slices"]]
    assert slices == sorted(slices, reverse=True)
    assert 0 < len(slices) <= 5


def test_the_run_and_the_manifest_have_the_derived_features(
    trained: Training,
) -> None:
    manifest = read_manifest(trained.model_folder("housing"))
    assert manifest["derived"] == tasks.load("housing").derived
    recorded = parent_of(trained.repo, "housing").params["derived"]
    assert recorded.split(", ") == list(tasks.load("housing").derived)
    assert "derived" not in read_manifest(trained.model_folder("iris"))
    assert "derived" not in parent_of(trained.repo, "iris").params


def test_run_and_manifest_have_the_metric_on_each_group_of_the_slices(
    trained: Training,
) -> None:
    manifest = read_manifest(trained.model_folder("housing"))
    runs = runs_of(trained.repo, "housing")
    metrics = runs["hist_gradient_boosting"].metrics
    rows = 0
    for group in manifest["groups"]:
        name = f"slice_{group['slice']}_{group['group']}_rmse"
        ((value, _, _),) = metrics[name]
        assert value == pytest.approx(group["metric"]["value"], 1e-5)
        rows += group["rows"]
    assert rows == manifest["holdout"]["rows"]
    assert "fairness" not in manifest
    # A task without slices has the manifest that it always had.
    without_slices = read_manifest(trained.model_folder("iris"))
    assert not {"groups", "fairness"} & without_slices.keys()


def test_mlflow_loads_the_model_and_takes_a_table(trained: Training) -> None:
    folder = trained.model_folder("iris")
    table = strategies.table(tasks.load("iris"), 5)
    rows = table.drop(columns="species").astype("float32")
    loaded = mlflow.pyfunc.load_model(str(folder))
    answer = loaded.predict(rows)
    model = OnnxModel(folder / "model.onnx")
    expected = model.predict(rows)
    np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-6)


def test_no_file_of_the_bundle_names_a_path_of_this_machine(trained: Training) -> None:
    repo, _ = trained
    folder = repo.root.parents[1]
    place = str(folder).encode()
    for path in bundle_folder(repo).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert place not in content, path
