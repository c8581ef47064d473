"""A checkout that trains iris and housing in seconds, and what its trainings leave."""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from core.files import sha256_file
from core.git import git
from history import layout, runfile
from history.runfile import Run
from pipeline import tasks
from pipeline.bundle import Bundle, Challenger
from pipeline.repo import Repo
from pipeline.schema import Source, Task
from pipeline.tasks import readers
from tests.conftest import commit_all
from tests.support.json_content import Json

SECTIONS: dict[str, Json] = {
    "iris": {
        "folds": 3,
        "candidates": {
            "dummy": {},
            "linear_discriminant": {},
            # A value that scikit-learn refuses.
            "logistic_regression": {"C": -1},
        },
    },
    "housing": {
        "folds": 3,
        "exclude": ["Population"],
        "candidates": {
            "dummy": {},
            "hist_gradient_boosting": {"max_iter": 5},
        },
    },
}
# Metrics that differ from one training to the next.
DURATIONS = ("fit_seconds", "latency_ms")
# A source that nobody answers for.
DEAD = Source("http://127.0.0.1:9/housing.tgz", readers.csv)


class Training(NamedTuple):
    """A checkout, and the bundle of its training."""

    repo: Repo
    bundle: Bundle

    def challenger(self, task: str) -> Challenger:
        """Return a task's challenger."""
        challenger = self.bundle.tasks[task].challenger
        assert challenger
        return challenger

    def model_folder(self, task: str) -> Path:
        """Return the folder with the files of a task's challenger."""
        challenger = self.challenger(task)
        folder = run_folders(self.repo)[challenger.run_id]
        return folder / layout.MODELS / challenger.model_id


def new_checkout(folder: Path) -> Repo:
    """Return a repository with both tasks in its `params.yaml`, and one commit."""
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    write_params(folder, "iris", "housing")
    ignored = folder / ".gitignore"
    ignored.write_text("build/\n")
    commit_all(folder, "feat: begin")
    return Repo.open(folder)


def write_params(folder: Path, *names: str) -> None:
    """Write a `params.yaml` with the sections of some tasks."""
    content = {
        "seed": 7,
        "holdout_share": 0.2,
        "tasks": {name: SECTIONS[name] for name in names},
    }
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def replace_housing(patch: pytest.MonkeyPatch, task: Task) -> None:
    """Let the pipeline load another task under the name of housing."""
    load = tasks.load

    def load_replaced(name: str) -> Task:
        return task if name == "housing" else load(name)

    patch.setattr(tasks, "load", load_replaced)


def bundle_folder(repo: Repo) -> Path:
    return repo.build / "bundle"


def run_folders(repo: Repo) -> dict[str, Path]:
    """Return the folders of the bundle's runs by run ID."""
    return layout.run_folders(bundle_folder(repo) / "mlruns")


def runs_of(repo: Repo, task: str) -> dict[str, Run]:
    """Return the bundle's runs of a task by their names."""
    runs = {}
    for folder in run_folders(repo).values():
        run = runfile.load(folder / layout.RUN_FILE)
        if run.experiment == task:
            runs[run.name] = run
    return runs


def parent_of(repo: Repo, task: str) -> Run:
    """Return the parent run of a task."""
    runs = runs_of(repo, task).values()
    (parent,) = [run for run in runs if run.parent is None]
    return parent


def digests(repo: Repo) -> dict[tuple[str, ...], str]:
    """Return the digests of all artifacts and models by task, run and file name."""
    files = {}
    for folder in run_folders(repo).values():
        run = runfile.load(folder / layout.RUN_FILE)
        paths = [*folder.glob("artifacts/*")]
        paths += folder.glob("models/*/model.onnx")
        for path in paths:
            key = (run.experiment, run.name, path.name)
            files[key] = sha256_file(path)
    return files


def check_same_files_and_results(repo: Repo, expected: Repo) -> None:
    """Check that the bundles of two trainings have the same bytes and metrics."""
    assert digests(repo) == digests(expected)
    assert results_of(repo) == results_of(expected)


def results_of(repo: Repo) -> dict[tuple[str, str], dict[str, list[float]]]:
    """Return all metrics but durations by task and run name: every value, each digit."""
    results = {}
    for folder in run_folders(repo).values():
        run = runfile.load(folder / layout.RUN_FILE)
        algorithm = run.params.get("algorithm", "")
        metrics = {}
        for name, points in run.metrics.items():
            if name not in DURATIONS:
                metrics[name] = [point[0] for point in points]
        results[run.experiment, algorithm] = metrics
    return results
