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

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
# The fast tests that read tasks, models in service, the history or generated pages.
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

HIDDEN = (
    "GIT_",
    "MLFLOW_",
    "MLOPS_",
    "PYTEST_",
    "PYTHONPATH",
    "SCIKIT_LEARN_DATA",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """An emptied copy as "Use this template" makes it, with another default branch."""
    folder = tmp_path_factory.mktemp("own")
    bare = folder / "ACME" / "Churn.git"
    root = folder / "clone"
    bare.parent.mkdir()
    git(folder, "init", "--quiet", "--bare", "-b", "trunk", str(bare))
    git(folder, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(root))
    (root / ".git").rename(folder / "template.git")
    subprocess.run(["git", "init", "--quiet", "-b", "trunk", root], check=True)
    git(root, "remote", "add", "origin", str(bare))
    git(root, "config", "user.name", "Ann")
    git(root, "config", "user.email", "ann@example.org")
    commit_all(root, "Initial commit")
    init(Repo.open(root), name="Churn", empty=True)
    git(root, "push", "--quiet", "origin", "trunk")
    # The copy's tests would make the same models.
    shutil.copytree(REPOSITORY, root / "build" / REPOSITORY.name)
    return Repo.open(root)


def run(copy: Repo, *command: str) -> str:
    """Run a program of the copy, without the data of this machine; return the output."""
    environment = {}
    for name, value in os.environ.items():
        if not name.startswith(HIDDEN):
            environment[name] = value
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy.root,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check(copy: Repo, arguments: list[str]) -> None:
    """Run fast tests of the copy.

    Args:
        arguments: the tests, or options for all of them.
    """
    options = ("-q", "-x", "-p", "no:cacheprovider", "-m", "not slow")
    run(copy, "pytest", *options, *arguments)


@pytest.mark.timeout(1800)
def test_the_tests_pass_before_the_first_model(copy: Repo) -> None:
    assert list(copy.models.glob("*/*")) == []
    assert verify(copy) == []
    # All of them: any may read a model, a run or the project's name.
    check(copy, ["--numprocesses", "2", "--dist", "loadfile"])


def test_a_task_is_one_file_and_a_snapshot(copy: Repo) -> None:
    for name, table in own_tasks.write(copy.root).items():
        run(copy, "pipeline", "data", "add", str(table), "--task", name)
    commit_all(copy.root, "feat: three tasks of our own")
    git(copy.root, "push", "--quiet", "origin", "trunk")

    options = []
    for name in own_tasks.TASKS:
        options += ["--task", name]
    run(copy, "pipeline", "train", *options)
    output = run(copy, "pipeline", "publish", "--branch", "trunk", "--json")
    answer = json.loads(output)
    git(copy.root, "pull", "--quiet", "--ff-only", "origin", "trunk")
    assert git(copy.root, "rev-parse", "HEAD") == answer["commit"]
    assert verify(copy) == []
    assert registry.models(copy.mlruns) == sorted(own_tasks.TASKS)
    leaderboard = (copy.mlruns / "README.md").read_text("utf-8")
    for title in ("Flats to let", "Tickets", "Ice cream"):
        assert f"## {title}\n" in leaderboard


def test_it_is_served_and_the_next_push_is_green(copy: Repo, tmp_path: Path) -> None:
    with Api(tmp_path, models=copy.models) as api:
        names = set(own_tasks.TASKS)
        for path in ("/health", "/dashboard/figures"):
            assert set(api.get(path)["models"]) == names
        flat = {"area": 60.5, "rooms": 2, "distance": 1.25}
        assert 800 < api.post("/predict/rent", flat)["prediction"] < 1400
        ticket = {"channel": "Schalter Köln", "words": 120}
        assert api.post("/predict/tickets", ticket)["prediction"] == "yes"
        day = {"month": 7, "weekday": 6, "degrees": 30.0}
        assert api.post("/predict/ice_cream", day)["prediction"] > 400
    check(copy, OF_TASKS)
