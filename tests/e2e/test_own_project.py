"""A copy in other hands: emptied, with tasks of its own, and its tests green at every
step.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.git import git
from history import registry
from pipeline.copies.init import init
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.support import own_tasks
from tests.support.service import REPOSITORY, ROOT
from tests.support.serving import Api

pytestmark = pytest.mark.slow
# The fast tests that look at tasks, models in service, the history or the pages made of
# them.
OF_TASKS = [
    "tests/model",
    "tests/unit/pipeline/tasks",
    "tests/unit/tools/test_reference.py",
    "tests/unit/pipeline/report",
    "tests/unit/test_repository.py",
    "tests/unit/history/test_history_metrics.py",
    "tests/unit/app/serving/test_model.py",
    "tests/unit/test_compose.py",
    "tests/unit/scripts/images/test_images.py",
    "tests/unit/scripts/stack/test_builds.py",
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """An emptied copy as "Use this template" makes it: one commit, a branch of another
    name.
    """
    folder = tmp_path_factory.mktemp("own")
    bare, root = folder / "ACME" / "Churn.git", folder / "clone"
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "-b", "trunk", bare], check=True
    )
    git(folder, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(root))
    (root / ".git").rename(folder / "template.git")
    subprocess.run(["git", "init", "--quiet", "-b", "trunk", root], check=True)
    git(root, "remote", "add", "origin", str(bare))
    for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
        git(root, "config", key, value)
    commit_all(root, "Initial commit")
    init(Repo.open(root), name="Churn", empty=True)
    git(root, "push", "--quiet", "origin", "trunk")
    shutil.copytree(
        REPOSITORY, root / "build" / REPOSITORY.name
    )  # what its tests would make
    return Repo.open(root)


def run(copy: Repo, *command: str) -> str:
    """Run a program of the copy in it, without any data of this machine, and return its
    output.
    """
    hidden = ("SCIKIT_LEARN_DATA", "MLOPS_", "MLFLOW_", "PYTEST_", "PYTHONPATH", "GIT_")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(hidden)
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy.root,
        env=kept,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(copy: Repo, tests: list[str]) -> None:
    run(copy, "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests)


def test_the_tests_pass_before_the_first_model(copy: Repo) -> None:
    assert not list(copy.models.glob("*/*")) and verify(copy) == []
    check(copy, OF_TASKS)


def test_a_task_is_one_file_and_a_snapshot(copy: Repo) -> None:
    for name, table in own_tasks.write(copy.root).items():
        run(copy, "pipeline", "data", "add", str(table), "--task", name)
    commit_all(copy.root, "feat: three tasks of our own")
    git(copy.root, "push", "--quiet", "origin", "trunk")

    asked = [part for name in own_tasks.TASKS for part in ("--task", name)]
    run(copy, "pipeline", "train", *asked)
    answer = json.loads(run(copy, "pipeline", "publish", "--branch", "trunk", "--json"))
    git(copy.root, "pull", "--quiet", "--ff-only", "origin", "trunk")
    assert (
        git(copy.root, "rev-parse", "HEAD") == answer["commit"] and verify(copy) == []
    )
    assert registry.models(copy.mlruns) == sorted(own_tasks.TASKS)
    board = (copy.mlruns / "README.md").read_text("utf-8")
    assert all(
        f"## {title}\n" in board for title in ("Flats to let", "Tickets", "Ice cream")
    )


def test_it_is_served_and_the_next_push_is_green(copy: Repo, tmp_path: Path) -> None:
    with Api(tmp_path, models=copy.models) as api:
        assert sorted(api.get("/health")["models"]) == sorted(own_tasks.TASKS)
        flat = {"area": 60.5, "rooms": 2, "distance": 1.25}
        assert 800 < api.post("/predict/rent", flat)["prediction"] < 1400
        ticket = {"channel": "Schalter Köln", "words": 120}
        assert api.post("/predict/tickets", ticket)["prediction"] == "yes"
        day = {"month": 7, "weekday": 6, "degrees": 30.0}
        assert api.post("/predict/ice_cream", day)["prediction"] > 400
        shown = set(api.get("/dashboard/figures")["models"])
        assert shown == set(own_tasks.TASKS)
    check(copy, OF_TASKS)
