"""`dvc.yaml` with real DVC: the stages make what `pipeline train` makes, and no more."""

import json
from pathlib import Path

import pytest

from core.files import sha256_file
from core.git import git
from pipeline import bundle as bundles
from pipeline.bundle_shards import joined
from tests.dvc.project import STAGES, TASKS, Project

NOTHING_TO_DO = "Data and pipelines are up to date."


def stages_run(output: str) -> set[str]:
    """Return the stages that `dvc repro` has run."""
    lines = [line for line in output.splitlines() if line.startswith("Running stage")]
    return {line.split("'")[1] for line in lines}


def files_of_models(folder: Path) -> dict[str, str]:
    """Return the digests of the challengers' models and manifests in a bundle."""
    bundle = bundles.read(folder)
    digests = {}
    for task, result in bundle.tasks.items():
        assert result.challenger
        (model,) = folder.rglob(result.challenger.model_id)
        for name in ("model.onnx", "manifest.json"):
            digests[f"{task}/{name}"] = sha256_file(model / name)
        rows = folder / "holdout" / f"{task}.csv.gz"
        digests[f"{task}/holdout"] = sha256_file(rows)
    return digests


def test_the_stages_make_the_bundle_of_pipeline_train(reproduced: Project) -> None:
    reproduced.pipeline("train")
    trained = files_of_models(reproduced.root / "build" / "bundle")
    with joined(reproduced.root / "build" / "dvc" / "bundle") as whole:
        by_stages = files_of_models(whole)
        assert bundles.read(whole).dirty == []
    assert len(trained) == 3 * len(TASKS)
    assert by_stages == trained


def test_the_second_time_nothing_is_run(reproduced: Project) -> None:
    output = reproduced.dvc("repro")
    assert stages_run(output) == set()
    assert NOTHING_TO_DO in output


def test_the_home_folder_stays_empty(reproduced: Project) -> None:
    assert list(reproduced.home.iterdir()) == []
    assert (reproduced.root / ".dvc-site-cache").is_dir()
    assert git(reproduced.root, "status", "--porcelain") == ""


def test_dvc_sends_no_statistics(reproduced: Project) -> None:
    assert reproduced.dvc("config", "core.analytics").strip() == "false"
    assert reproduced.dvc("config", "core.check_update").strip() == "false"


def test_the_plots_of_all_tasks_are_shown(reproduced: Project) -> None:
    output = reproduced.dvc("plots", "show", "--out", "build/plots")
    page = reproduced.root / "build" / "plots" / "index.html"
    assert page.as_uri() in output
    content = page.read_text("utf-8")
    for task in TASKS:
        assert f"{task}, permutation importance of the challenger" in content
        assert f"{task}, mean of the folds" in content
    assert content.count("evaluation.png") >= len(TASKS)


@pytest.fixture(scope="module")
def changed(reproduced: Project) -> tuple[Project, str]:
    """The project after a change of one parameter, and what was run because of it."""
    reproduced.set_parameter("housing", "gradient_boosting", n_estimators=8)
    return reproduced, reproduced.dvc("repro")


def test_a_parameter_runs_what_depends_on_it(changed: tuple[Project, str]) -> None:
    _, output = changed
    dependent = {f"{stage}@housing" for stage in STAGES[2:]}
    assert stages_run(output) == dependent


def test_the_changed_parameter_and_its_metrics_are_shown(
    changed: tuple[Project, str],
) -> None:
    project, _ = changed
    parameters = json.loads(project.dvc("params", "diff", "--json"))
    name = "tasks.housing.candidates.gradient_boosting.n_estimators"
    assert parameters == {"params.yaml": {name: {"old": 5, "new": 8, "diff": 3}}}
    metrics = json.loads(project.dvc("metrics", "diff", "--json"))
    (file,) = metrics
    assert file == "build/dvc/housing/metrics.json"
    assert metrics[file]["holdout_rmse"]["diff"] < 0


def test_an_experiment_is_run_and_listed(changed: tuple[Project, str]) -> None:
    project, _ = changed
    git(project.root, "checkout", "--quiet", "--", ".")
    change = "tasks.iris.candidates.logistic_regression.C=0.5"
    output = project.dvc("exp", "run", "--name", "weaker", "-S", change)
    assert "Ran experiment(s): weaker" in output
    # Housing is as it was before its change: DVC takes it from its cache.
    assert stages_run(output) == {f"{stage}@iris" for stage in STAGES[2:]}
    listed = project.dvc("exp", "show", "--csv")
    assert "weaker" in listed
    parameters = json.loads(project.dvc("params", "diff", "--json"))
    assert list(parameters["params.yaml"]) == [change.partition("=")[0]]


def test_a_bundle_of_stages_is_published(fresh: Project) -> None:
    origin = fresh.root.with_name("origin.git")
    (fresh.root / "mlruns").mkdir()
    git(fresh.root.parent, "clone", "--quiet", "--bare", str(fresh.root), str(origin))
    git(fresh.root, "remote", "add", "origin", str(origin))
    fresh.dvc("repro", "register@iris")
    output = fresh.pipeline("publish", "--bundle", "build/dvc/bundle/iris")
    assert "promoted" in output
    git(fresh.root, "pull", "--quiet", "--ff-only", "origin", "main")
    model = fresh.root / "deployment" / "models" / "iris" / "model.onnx"
    stage = fresh.root / "build" / "dvc" / "iris" / "model.onnx"
    assert model.read_bytes() == stage.read_bytes()
    assert "no fault" in fresh.pipeline("history", "verify")
    fresh.set_parameter("iris", "logistic_regression", C=2)
    output = fresh.pipeline("history", "verify", status=1)
    assert "dvc.lock: iris was run with tasks.iris.candidates" in output
