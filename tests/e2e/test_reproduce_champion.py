"""The champion of iris is made again in the environment of its own lock file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.git import git, succeeds
from history import History, runfile
from pipeline.recorded_run import COMMIT_TAG
from pipeline.reproduce.environment import LOCK
from tests.conftest import commit_all
from tests.paths import ROOT

# It installs two lock files, and trains twice.
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


class Clone:
    """A clone of this repository, whose history a test may alter.

    Attributes:
        root: its folder.
        run_file: the `run.json` of the champion of iris.
        training_file: that of its training.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder
        git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
        with History.open(folder / "mlruns") as history:
            champion = history.champion("iris")
            if champion is None:
                pytest.skip("iris has no champion in this copy")
            run = history.run(champion.run_id)
            self.run_file = history.folder(run.run_id) / "run.json"
            self.training_file = history.folder(str(run.parent)) / "run.json"
        self.commit = run.tags[COMMIT_TAG]
        if not succeeds(folder, "cat-file", "-e", self.commit):
            pytest.skip("this clone does not have the commit of the champion")

    def reproduce(self) -> tuple[int, str]:
        """Run the command; return its exit status, and what it printed."""
        command = [sys.executable, "-m", "pipeline", "--repo", str(self.root)]
        done = subprocess.run(
            [*command, "reproduce", "iris"],
            cwd=ROOT,
            env=os.environ | {"COLUMNS": "1000"},
            capture_output=True,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def break_lock_file(self) -> str:
        """Return a commit on the champion's with a lock file that fits no package."""
        head = git(self.root, "rev-parse", "HEAD")
        git(self.root, "switch", "--quiet", "--detach", self.commit)
        digest = "0" * 64
        (self.root / LOCK).write_text(f"six==1.17.0 --hash=sha256:{digest}\n")
        commit = commit_all(self.root, "feat: break the lock file")
        git(self.root, "switch", "--quiet", "--detach", head)
        return commit

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace a text in a file of the history."""
        content = path.read_text("utf-8")
        assert old in content
        path.write_text(content.replace(old, new), "utf-8")


def test_the_champion_is_the_same_and_what_is_altered_is_named(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # Not in `tmp_path`: an environment has longer paths than Windows' own default.
    clone = Clone(tmp_path_factory.mktemp("reproduce") / "clone")
    broken = clone.break_lock_file()
    status, output = clone.reproduce()
    assert (status, output.partition(":")[0]) == (0, "same"), output

    lock = runfile.load(clone.training_file).tags["digest.requirements"]
    clone.edit(clone.training_file, lock, "0" * 64)
    clone.edit(clone.run_file, '"holdout_log_loss": [[', '"holdout_log_loss": [[1')
    status, output = clone.reproduce()
    assert (status, output.partition(":")[0]) == (1, "differs"), output
    assert f"input lock file: {'0' * 64} in the history, {lock} made again" in output
    assert "metric holdout_log_loss: 1" in output

    for path in (clone.run_file, clone.training_file):
        clone.edit(path, clone.commit, broken)
    status, output = clone.reproduce()
    assert status == 1
    assert f"the lock file {LOCK} of the run's commit cannot be installed" in output
