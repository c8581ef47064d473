"""A small copy of this project to rehearse pushes of: one task, one test, the same
workflow.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from core.git import git
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.factories import PARAMS
from tools.rehearse import events, origin
from tools.rehearse.act import Run, Runner
from tools.rehearse.github import GitHub

TEST = "def test_small() -> None:\n    assert {sum} == 2\n"
# One Python is enough where it is not the tests that are tried.
ONE_PYTHON = ("--matrix", "python:3.13")


class Project:
    """A bare origin, a clone of a person who pushes, and what happens then."""

    def __init__(
        self,
        folder: Path,
        github: GitHub,
        environment: dict[str, str] | None = None,
        branch: str = "main",
    ) -> None:
        self.folder, self.github, self.origin = (
            folder,
            github,
            origin.make(folder, branch),
        )
        self.clone = self.another("clone")
        ours = (
            shared_sessions(folder)
            | {"GITHUB_API_URL": github.address}
            | (environment or {})
        )
        self.runner = Runner(folder, self.origin, ours)
        self._shrink()

    def another(self, name: str) -> Path:
        """Clone the origin once more."""
        git(self.folder, "clone", "--quiet", str(self.origin), str(self.folder / name))
        return self.folder / name

    def _shrink(self) -> None:
        shutil.rmtree(self.clone / "tests")
        (self.clone / "tests").mkdir()
        (self.clone / "params.yaml").write_text(PARAMS % 0.01, "utf-8")
        (self.clone / "tests" / "test_small.py").write_text(
            TEST.format(sum="1 + 1"), "utf-8"
        )
        # Of the code little is looked at: it is the workflow that is tried, not the
        # linters.
        settings = (self.clone / "pyproject.toml").read_text("utf-8")
        code = ("app", "core", "history", "pipeline", "scripts", "tools")
        listed, names = ", ".join(f'"{name}"' for name in code), "|".join(code)
        fewer = {
            f'files = [{listed}, "examples"]': 'files = ["scripts/ci"]',
            "[tool.black]\n": f'[tool.black]\nextend-exclude = "^/({names})/"\n',
            'exclude = [".git",': f"exclude = [{listed},",
        }
        for before, after in fewer.items():
            assert before in settings
            settings = settings.replace(before, after)
        (self.clone / "pyproject.toml").write_text(settings, "utf-8")

    def push(self, message: str, *more: str, branch: str = "main") -> Run:
        """Commit what was changed in the clone, push it, and let the workflow answer."""
        commit_all(self.clone, message)
        git(self.clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.runner.run(
            self.clone, "push", events.push(self.clone, branch), *more
        )

    def pull(self) -> None:
        """Take in what the pipeline has published."""
        git(self.clone, "pull", "--quiet", "--ff-only", "origin", "main")

    @property
    def main(self) -> str:
        """The commit that main of the origin is at."""
        return git(self.origin, "rev-parse", "main")

    def files(self, commit: str = "main", under: str = "") -> set[str]:
        """Return the files of a commit in the origin."""
        return set(
            git(
                self.origin, "ls-tree", "-r", "--name-only", commit, under or "."
            ).split("\n")
        )

    def runs(self) -> set[str]:
        """Return the runs that main of the origin holds."""
        return {
            path for path in self.files(under="mlruns") if path.endswith("run.json")
        }

    def hook(self, name: str, text: str) -> None:
        """Give the origin a hook, as a server has."""
        path = self.origin / "hooks" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


def shared_sessions(folder: Path) -> dict[str, str]:
    """Return the environment of all runs: the sessions that run these tests, if they
    do.
    """
    above = Path(sys.prefix).parent
    shared = above if (above / "own").is_dir() else folder.parent / "nox"
    environment = {"NOX_ENVDIR": str(shared)}
    # Made once, here: the jobs that run side by side then find it made.
    command = ["./scripts/nox.sh", "-l"]
    subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True
    )
    return environment
