"""`dvc.yaml` with real DVC: the stages make what `pipeline train` makes, and no more."""

import json
from pathlib import Path

import pytest

from core.files import sha256_file
from core.git import git
from pipeline import bundle as bundles
from pipeline.bundle_shards import joined
from tests.dvc.project import STAGES, TASKS, Project
from tests.support.json_content import Json

NOTHING_TO_DO = "Data and pipelines are up to date."
# The stages that read the parameters of the candidates, and those after them.
DEPENDENT_STAGES = STAGES[2:]


def stages_run(output: str) -> set[str]:
    """Return the stages that `dvc repro` has run."""
    stages = set()
    for line in output.splitlines():
        if line.startswith("Running stage"):
            parts = line.split("'")
            stages.add(parts[1])
    return stages


def dependent_stages(task: str) -> set[str]:
    """Return the stages of a task that a change of its candidates runs."""
    return {f"{stage}@{task}" for stage in DEPENDENT_STAGES}


def difference(project: Project, kind: str) -> Json:
    """Return what DVC prints about changes of a kind, `params` or `metrics`."""
    output = project.dvc(kind, "diff", "--json")
    content: Json = json.loads(output)
    return content


def files_of_models(folder: Path) -> dict[str, str]:
    """Return the digests of the challengers' models and manifests in a bundle."""
    bundle = bundles.read(folder)
    digests = {}
    for task, result in bundle.tasks.items():
        challenger = result.challenger
        assert challenger
        (model,) = folder.rglob(challenger.model_id)
        files = {
            "model.onnx": model / "model.onnx",
            "manifest.json": model / "manifest.json",
            "holdout": folder / "holdout" / f"{task}.csv.gz",
        }
        for name, path in files.items():
            digests[f"{task}/{name}"] = sha256_file(path)
    return digests


def test_the_stages_make_the_bundle_of_pipeline_train(reproduced: Project) -> None:
    build = reproduced.root / "build"
    reproduced.pipeline("train")
    trained = files_of_models(build / "bundle")
    with joined(build / "dvc" / "bundle") as whole:
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
    for setting in ("core.analytics", "core.check_update"):
        output = reproduced.dvc("config", setting)
        assert output.strip() == "false"


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
    output = reproduced.dvc("repro")
    return reproduced, output


def test_a_parameter_runs_what_depends_on_it(changed: tuple[Project, str]) -> None:
    _, output = changed
    assert stages_run(output) == dependent_stages("housing")


def test_the_changed_parameter_and_its_metrics_are_shown(
    changed: tuple[Project, str],
) -> None:
    project, _ = changed
    parameters = difference(project, "params")
    name = "tasks.housing.candidates.gradient_boosting.n_estimators"
    change = {"old": 5, "new": 8, "diff": 3}
    assert parameters == {"params.yaml": {name: change}}
    metrics = difference(project, "metrics")
    (file,) = metrics
    assert file == "build/dvc/housing/metrics.json"
    rmse = metrics[file]["holdout_rmse"]
    assert rmse["diff"] < 0


def test_an_experiment_is_run_and_listed(changed: tuple[Project, str]) -> None:
    project, _ = changed
    git(project.root, "checkout", "--quiet", "--", ".")
    parameter = "tasks.iris.candidates.logistic_regression.C"
    output = project.dvc("exp", "run", "--name", "weaker", "-S", f"{parameter}=0.5")
    assert "Ran experiment(s): weaker" in output
    # Housing is as it was before its change: DVC takes it from its cache.
    assert stages_run(output) == dependent_stages("iris")
    listed = project.dvc("exp", "show", "--csv")
    assert "weaker" in listed
    parameters = difference(project, "params")
    assert list(parameters["params.yaml"]) == [parameter]


def test_a_bundle_of_stages_is_published(fresh: Project) -> None:
    root = fresh.root
    origin = root.with_name("origin.git")
    (root / "mlruns").mkdir()
    git(root.parent, "clone", "--quiet", "--bare", str(root), str(origin))
    git(root, "remote", "add", "origin", str(origin))
    fresh.dvc("repro", "register@iris")
    output = fresh.pipeline("publish", "--bundle", "build/dvc/bundle/iris")
    assert "promoted" in output
    git(root, "pull", "--quiet", "--ff-only", "origin", "main")
    model = root / "deployment" / "models" / "iris" / "model.onnx"
    stage = root / "build" / "dvc" / "iris" / "model.onnx"
    assert model.read_bytes() == stage.read_bytes()
    output = fresh.pipeline("history", "verify")
    assert "no fault" in output
    fresh.set_parameter("iris", "logistic_regression", C=2)
    output = fresh.pipeline("history", "verify", status=1)
    assert "dvc.lock: iris was run with tasks.iris.candidates" in output
