"""The report on real commits of `pipeline publish`, from made-up bundles."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import UsageError
from core.git import git, succeeds
from pipeline import bundle as bundles
from pipeline.publish.loop import PUBLISHED
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from scripts.push_report import describe
from tests.conftest import Clone, commit_all
from tests.paths import ROOT
from tests.support import factories

BASE = "https://github.com/o/n/tree/main/"


@pytest.fixture
def team(clone: Clone) -> Repo:
    return clone("team")


def bundle(repo: Repo, folder: Path, noise: float, seed: int) -> Path:
    head = git(repo.root, "rev-parse", "HEAD")
    factories.bundle(folder, head, {"housing": noise}, seed)
    return folder


def published(repo: Repo, folder: Path, noise: float, seed: int) -> str:
    """Publish a bundle, and return the commit."""
    bundle(repo, folder, noise, seed)
    commit, _ = publish(repo, folder, "origin", "main")
    return commit


def test_it_describes_candidates_decision_and_history(
    team: Repo, tmp_path: Path
) -> None:
    first = published(team, tmp_path / "1", 0.3, 1)
    second = published(team, tmp_path / "2", 3.0, 2)
    page = describe(team.root, first, BASE)
    assert "### California housing: promoted as v1" in page
    page = describe(team.root, second, BASE)
    assert "### California housing: v1 stays in service" in page
    assert "was **not** promoted: RMSE " in page
    assert " is above the champion's " in page
    assert re.search(r"\| \*\*?ridge|\| ridge", page)
    assert "rmse over the last 2 pushes" in page
    for path in re.findall(rf"\({re.escape(BASE)}(\S+)\)", page):
        assert succeeds(team.root, "cat-file", "-e", f"{second}:{path}/run.json")


def test_a_task_that_waits_for_its_data_is_in_commit_and_report(
    team: Repo, tmp_path: Path
) -> None:
    folder = bundle(team, tmp_path / "1", 0.3, 1)
    hosts = "ndownloader.figshare.com (answers 403), www.openml.org (cannot be reached)"
    content = bundles.read(folder)
    bundles.write(folder, content.model_copy(update={"waiting": {"iris": hosts}}))
    commit, message = publish(team, folder, "origin", "main")
    assert "- The task iris was not trained, because its data is not" in message
    assert f" It is waiting for {hosts}.\n" in message
    trailer = "--format=%(trailers:key=Mlops-Waiting)"
    assert git(team.root, "log", "-1", trailer, commit)
    page = describe(team.root, commit, BASE)
    assert "### iris: not trained" in page
    assert f"It is waiting for {hosts}." in page


def test_a_dry_run_pushes_nothing_and_keeps_its_commit_for_the_report(
    team: Repo, origin: Path, tmp_path: Path
) -> None:
    before = git(origin, "rev-parse", "main")
    folder = bundle(team, tmp_path / "1", 0.3, 1)
    commit, message = publish(team, folder, "origin", "main", dry_run=True)
    assert git(origin, "rev-parse", "main") == before
    assert git(team.root, "rev-parse", PUBLISHED) == commit
    assert "v1 promoted" in message
    page = describe(team.root, PUBLISHED, "")
    assert "promoted as v1" in page
    assert "](" not in page


def test_a_dry_run_evaluates_a_commit_that_was_not_pushed(
    team: Repo, tmp_path: Path
) -> None:
    (team.root / "params.yaml").write_text("seed: 43\n")
    commit_all(team.root, "feat: not pushed")
    folder = bundle(team, tmp_path / "1", 0.3, 1)
    commit, _ = publish(team, folder, "origin", "main", dry_run=True)
    assert "promoted as v1" in describe(team.root, commit, "")


def test_a_wrong_commit_is_one_sentence() -> None:
    command = [sys.executable, "-m", "scripts.push_report", "nothing"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_other_commits_are_refused(team: Repo, tmp_path: Path) -> None:
    published(team, tmp_path / "1", 0.3, 1)
    published(team, tmp_path / "2", 0.05, 2)
    manual, _ = promote(team, "housing", 1, "", "origin", "main")
    for commit in ("HEAD", manual):
        with pytest.raises(UsageError, match="not a commit of `pipeline publish`"):
            describe(team.root, commit, "")
