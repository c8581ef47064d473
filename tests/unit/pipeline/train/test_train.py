"""`pipeline train` as a whole: small tasks, real repositories, MLflow's own store."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml

from core.errors import PipelineError, UsageError
from core.files import sha256_file
from core.git import git
from core.onnx_model import OnnxModel
from history import layout, runfile
from history.runfile import Run
from pipeline import bundle as bundles
from pipeline import tasks
from pipeline.bundle import Bundle
from pipeline.data import table as tables
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from pipeline.tasks import readers
from pipeline.train.train import train
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support import factories, strategies
from tests.support.waiting import PATIENCE_SECONDS

PARAMS = {
    "seed": 7,
    "holdout_share": 0.2,
    "tasks": {
        "iris": {
            "folds": 3,
            "candidates": {
                "dummy": {},
                "linear_discriminant": {},
                "logistic_regression": {"C": -1},
            },
        },
        "housing": {
            "folds": 3,
            "exclude": ["Population"],
            "candidates": {"dummy": {}, "hist_gradient_boosting": {"max_iter": 5}},
        },
    },
}
Runs = dict[str, Run]


def _begin(folder: Path) -> Repo:
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    (folder / ".gitignore").write_text("build/\n")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def _replace_housing(patch: pytest.MonkeyPatch, task: Task) -> None:
    load = tasks.load
    patch.setattr(tasks, "load", lambda name: task if name == "housing" else load(name))


@pytest.fixture(scope="module")
def made_up() -> Iterator[None]:
    """Housing with generated rows, for as long as this module runs."""
    patch = pytest.MonkeyPatch()
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    _replace_housing(patch, strategies.task_of("housing", 400))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, made_up: None
) -> tuple[Repo, Bundle]:
    repo = _begin(tmp_path_factory.mktemp("first") / "checkout")
    return repo, train(repo, [], repo.build / "bundle")


def _folder(repo: Repo) -> Path:
    return repo.build / "bundle"


def _runs(repo: Repo, task: str) -> Runs:
    folders = layout.run_folders(_folder(repo) / "mlruns").values()
    runs = [runfile.load(folder / layout.RUN_FILE) for folder in folders]
    return {run.name: run for run in runs if run.experiment == task}


def _files(repo: Repo) -> dict[tuple[str, ...], str]:
    """Return the digests of all artifacts and models by task, run and name."""
    found = {}
    for folder in layout.run_folders(_folder(repo) / "mlruns").values():
        run = runfile.load(folder / layout.RUN_FILE)
        for path in [*folder.glob("artifacts/*"), *folder.glob("models/*/model.onnx")]:
            found[run.experiment, run.name, path.name] = sha256_file(path)
    return found


@pytest.mark.slow
def test_the_bundle_says_what_was_found(trained: tuple[Repo, Bundle]) -> None:
    repo, bundle = trained
    assert bundles.read(_folder(repo)) == bundle and bundle.dirty == []
    iris = bundle.tasks["iris"]
    assert len(iris.run_ids) == 4 and iris.run_ids[0] == iris.parent_run
    assert iris.challenger and iris.challenger.algorithm == "linear_discriminant"
    assert iris.challenger.parity.mismatches == 0
    claims = tasks.load("iris").behaviours
    assert [check.name for check in iris.challenger.behaviours] == list(claims)
    assert iris.challenger.holdout["accuracy"] > 0.9
    assert iris.data_digest == tasks.load("iris").digest
    # The bundled table becomes a snapshot; the hold-out lies beside it.
    snapshot = tables.read(_folder(repo) / "data" / "iris.csv.gz")
    holdout = tables.read(_folder(repo) / "holdout" / "iris.csv.gz")
    assert len(snapshot) == 150 and len(holdout) == iris.challenger.parity.rows


@pytest.mark.slow
def test_the_runs_say_how_it_came_about(trained: tuple[Repo, Bundle]) -> None:
    repo, bundle = trained
    runs = _runs(repo, "iris")
    parent = runs[f"iris {bundle.commit[:7]}"]
    assert parent.tags["mlflow.source.git.commit"] == bundle.commit
    assert parent.tags["git.dirty"] == "false" and parent.tags["git.branch"] == "main"
    assert parent.tags["digest.data"] == bundle.tasks["iris"].data_digest
    assert {
        "digest.code",
        "digest.params",
        "version.python",
        "version.scikit-learn",
    } <= {*parent.tags}
    assert parent.params["challenger"] == "linear_discriminant"
    child = runs["linear_discriminant"]
    assert child.parent == parent.run_id and child.status == "FINISHED"
    assert [point[2] for point in child.metrics["fold_log_loss"]] == [0, 1, 2]
    wanted = {"cv_log_loss_mean", "cv_log_loss_std", "holdout_roc_auc", "fit_seconds"}
    assert wanted | {
        "latency_ms",
        "model_bytes",
        "parity_mismatches",
        "parity_largest_difference",
    } <= {*child.metrics}
    assert child.datasets[0].digest == bundle.tasks["iris"].data_digest[:32]
    files = {"evaluation.png", "permutation_importance.csv"}
    assert {artifact.path for artifact in child.artifacts} == files
    assert all(artifact.size < 15_000 for artifact in child.artifacts)


@pytest.mark.slow
def test_a_candidate_that_failed_has_a_failed_run_with_its_reason(
    trained: tuple[Repo, Bundle],
) -> None:
    failed = _runs(trained[0], "iris")["logistic_regression"]
    assert failed.status == "FAILED" and "'C' parameter" in failed.tags["failure"]
    parent = next(
        run for run in _runs(trained[0], "iris").values() if run.parent is None
    )
    assert (
        parent.status == "FINISHED"
        and "logistic_regression: " in parent.tags["failure"]
    )


@pytest.mark.slow
def test_the_model_comes_with_all_that_serving_needs(
    trained: tuple[Repo, Bundle],
) -> None:
    repo, bundle = trained
    challenger = bundle.tasks["housing"].challenger
    assert challenger
    run = layout.run_folders(_folder(repo) / "mlruns")[challenger.run_id]
    folder = run / layout.MODELS / challenger.model_id
    assert sha256_file(folder / "model.onnx") == challenger.sha256
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["sha256"] == challenger.sha256 and manifest["format"] == 1
    names = [feature["name"] for feature in manifest["features"]]
    assert "Population" not in names and len(names) == 7
    golden, model = manifest["golden"], OnnxModel(folder / "model.onnx")
    answer = model.predict(pd.DataFrame([golden["request"]]))[0]
    assert golden["answer"] == pytest.approx(answer, rel=1e-5)
    rmse = manifest["holdout"]["metrics"]["rmse"]
    assert rmse["low"] < rmse["value"] < rmse["high"] < manifest["baseline"]["rmse"]
    for name in names:
        reference = manifest["reference"]["features"][name]
        assert len(reference["shares"]) == len(reference["edges"]) + 1
        assert sum(reference["shares"]) == pytest.approx(1, abs=1e-4)
    worst = [part["rmse"] for part in manifest["slices"]]
    assert worst == sorted(worst, reverse=True) and 0 < len(worst) <= 5


@pytest.mark.slow
def test_mlflow_loads_the_model_and_takes_a_table(trained: tuple[Repo, Bundle]) -> None:
    repo, bundle = trained
    challenger = bundle.tasks["iris"].challenger
    assert challenger
    run = layout.run_folders(_folder(repo) / "mlruns")[challenger.run_id]
    folder = run / layout.MODELS / challenger.model_id
    rows = (
        strategies.table(tasks.load("iris"), 5)
        .drop(columns="species")
        .astype("float32")
    )
    answer = mlflow.pyfunc.load_model(str(folder)).predict(rows)
    expected = OnnxModel(folder / "model.onnx").predict(rows)
    np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-6)


@pytest.mark.slow
def test_nothing_names_a_place_on_this_machine(trained: tuple[Repo, Bundle]) -> None:
    repo, _ = trained
    place = str(repo.root.parents[1]).encode()
    for path in _folder(repo).rglob("*"):
        if path.is_file():
            assert place not in path.read_bytes(), path


@pytest.mark.slow
def test_the_same_inputs_in_another_folder_give_the_same_bytes(
    trained: tuple[Repo, Bundle], tmp_path: Path
) -> None:
    other = _begin(tmp_path / "elsewhere")
    train(other, [], _folder(other))
    assert _files(other) == _files(trained[0])
    assert len(_files(other)) == 4 * 2 + 2  # candidates' artifacts and two models


@pytest.mark.slow
def test_an_older_bundle_is_replaced_and_a_moved_store_made_anew(
    trained: tuple[Repo, Bundle], tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    subprocess.run(["cp", "-r", trained[0].root, moved], check=True)
    repo = Repo.open(moved)
    (repo.params).write_text(repo.params.read_text("utf-8") + "\n")
    bundle = train(repo, ["iris"], _folder(repo))
    assert bundle.dirty == ["params.yaml"]
    assert bundles.read(_folder(repo)) == bundle and [*bundle.tasks] == ["iris"]
    left = {path.name for path in repo.build.iterdir()}
    assert left - {"matplotlib"} == {"bundle", "tracking", "train.lock"}


@pytest.mark.slow
def test_fresh_data_come_into_the_bundle_and_a_changed_snapshot_makes_it_dirty(
    made_up: None, tmp_path: Path
) -> None:
    repo = _begin(tmp_path / "checkout")
    grown = strategies.table(tasks.load("iris"), 200)
    tables.write(repo.data / "iris.csv.gz", grown)
    bundle = train(repo, ["iris"], _folder(repo))
    assert bundle.dirty == ["data/iris.csv.gz"]
    assert bundle.tasks["iris"].data_digest == tables.digest(grown)
    assert not (_folder(repo) / "data").exists()
    commit_all(repo.root, "feat: grow")
    bundle = train(repo, ["iris"], _folder(repo), refresh=True)
    assert (
        bundle.dirty == []
        and bundle.tasks["iris"].data_digest == tasks.load("iris").digest
    )
    assert len(tables.read(_folder(repo) / "data" / "iris.csv.gz")) == 150


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fresh", "rows"),
    [("true", 150), pytest.param("false", 200, marks=pytest.mark.nightly)],
)
def test_the_command_reads_what_a_workflow_tells_it(
    tmp_path: Path, fresh: str, rows: int
) -> None:
    repo = _begin(tmp_path / "checkout")
    repo.params.write_text(
        yaml.safe_dump(PARAMS | {"tasks": {"iris": PARAMS["tasks"]["iris"]}})
    )
    tables.write(repo.data / "iris.csv.gz", strategies.table(tasks.load("iris"), 200))
    commit_all(repo.root, "feat: grow")
    told = {"MLOPS_TASKS": "iris" if fresh else "", "MLOPS_REFRESH_DATA": fresh}
    command = [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "train"]
    subprocess.run(command, cwd=ROOT, env=os.environ | told, check=True)
    holdout = tables.read(_folder(repo) / "holdout" / "iris.csv.gz")
    assert [*bundles.read(_folder(repo)).tasks] == ["iris"]
    runs = _runs(repo, "iris").values()
    parent = next(run for run in runs if run.parent is None)
    assert parent.metrics["rows_train"][0][0] + len(holdout) == rows


@pytest.mark.slow
def test_a_killed_training_leaves_no_bundle_of_an_older_one(
    trained: tuple[Repo, Bundle], tmp_path: Path
) -> None:
    moved = tmp_path / "killed"
    subprocess.run(["cp", "-r", trained[0].root, moved], check=True)
    before = bundles.read(moved / "build" / "bundle")
    code = "import sys; from pathlib import Path; from pipeline.repo import Repo; "
    code += "from pipeline.train.train import train; "
    code += (
        "train(Repo.open(Path(sys.argv[1])), ['iris'], Path(sys.argv[1]) /"
        " 'build/bundle')"
    )
    root = ROOT
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(moved)],
        env={**os.environ, "PYTHONPATH": str(root)},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not list((moved / "build").glob(".part-*/new/holdout/*")):
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    with pytest.raises(
        UsageError, match="has no finished bundle: run `pipeline train` first"
    ):
        bundles.read(moved / "build" / "bundle")
    repo = Repo.open(moved)
    assert train(repo, ["iris"], _folder(repo)).created > before.created
    assert not list(repo.build.glob(".part-*"))


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path: Path) -> None:
    repo = _begin(tmp_path / "checkout")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="mine holds something else than a bundle"):
        train(repo, ["iris"], tmp_path / "mine")


def test_unknown_and_missing_tasks_are_named(tmp_path: Path) -> None:
    repo = _begin(tmp_path / "checkout")
    with pytest.raises(UsageError, match="there is no task 'wine'"):
        train(repo, ["wine"], repo.build / "bundle")
    with pytest.raises(UsageError, match=r"params.yaml: tasks\.credit: is missing"):
        train(repo, ["credit"], repo.build / "bundle")
    assert not repo.build.exists()


def test_without_network_and_snapshot_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", "")
    dead = Source("http://127.0.0.1:9/housing.tgz", readers.csv)
    folder = Source("$SCIKIT_LEARN_DATA/cal_housing_py3.pkz", readers.housing_folder)
    task = dataclasses.replace(tasks.load("housing"), sources=(folder, dead))
    _replace_housing(monkeypatch, task)
    repo = _begin(tmp_path / "checkout")
    factories.bundle(
        repo.build / "bundle", "a" * 40, {"iris": 0.1}
    )  # of an earlier training
    with pytest.raises(
        PipelineError, match="housing: no source has its data .SCIKIT_LEARN_DATA"
    ):
        train(repo, ["housing"], repo.build / "bundle")
    assert not (repo.build / "bundle").exists() and not list(repo.build.glob(".part-*"))


@pytest.mark.slow
def test_a_task_without_data_does_not_stop_the_others(
    tmp_path: Path,
    made_up: None,
    monkeypatch: pytest.MonkeyPatch,
    waits: list[float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    dead = Source("http://127.0.0.1:9/housing.tgz", readers.csv)
    _replace_housing(
        monkeypatch, dataclasses.replace(tasks.load("housing"), sources=(dead,))
    )
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repo = _begin(tmp_path / "checkout")
    bundle = train(repo, [], repo.build / "bundle")
    assert list(bundle.tasks) == ["iris"]
    assert bundles.read(_folder(repo)).waiting == {
        "housing": "127.0.0.1 (cannot be reached)"
    }
    said = capsys.readouterr().out
    assert (
        "::notice title=housing waits for its data::it is not trained: housing: no"
        " source" in said
    )


def test_when_every_task_waits_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    dead = Source("http://127.0.0.1:9/housing.tgz", readers.csv)
    _replace_housing(
        monkeypatch, dataclasses.replace(tasks.load("housing"), sources=(dead,))
    )
    repo = _begin(tmp_path / "checkout")
    only = {**PARAMS, "tasks": {"housing": PARAMS["tasks"]["housing"]}}  # type: ignore[index]
    repo.params.write_text(yaml.safe_dump(only))
    with pytest.raises(PipelineError) as caught:
        train(repo, [], repo.build / "bundle")
    words = (
        "nothing was trained, since no data can be had: waiting are housing for"
        " 127.0.0.1 "
    )
    assert str(caught.value).startswith(words) and "pipeline data add" in str(
        caught.value
    )
    assert not (repo.build / "bundle").exists()
