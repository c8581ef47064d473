"""A small copy of this project to rehearse pushes of: one task, one test, the same
workflow.
"""

import os
import re
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
CODE = ("app", "core", "course", "history", "pipeline", "scripts", "tools")
# One Python is enough in a test that is not about the project's tests.
ONE_PYTHON = ("--matrix", "python:3.13")


class Project:
    """A bare origin, the clone of a person who pushes, and runs of the workflow."""

    def __init__(
        self,
        folder: Path,
        github: GitHub,
        environment: dict[str, str] | None = None,
        branch: str = "main",
    ) -> None:
        self.folder = folder
        self.github = github
        self.origin = origin.make(folder, branch)
        self.clone = self.another("clone")
        variables = shared_sessions(folder)
        variables["GITHUB_API_URL"] = github.address
        variables |= environment or {}
        self.runner = Runner(folder, self.origin, variables)
        self._shrink()

    def another(self, name: str) -> Path:
        """Clone the origin once more."""
        target = self.folder / name
        git(self.folder, "clone", "--quiet", str(self.origin), str(target))
        return target

    def _shrink(self) -> None:
        tests = self.clone / "tests"
        shutil.rmtree(tests)
        tests.mkdir()
        (tests / "test_small.py").write_text(TEST.format(sum="1 + 1"), "utf-8")
        (self.clone / "params.yaml").write_text(PARAMS % 0.01, "utf-8")
        # The linters check little of the code: this tests the workflow.
        settings = (self.clone / "pyproject.toml").read_text("utf-8")
        checked = re.search(r"^files = .*$", settings, re.MULTILINE)
        assert checked
        listed = ", ".join(f'"{name}"' for name in CODE)
        names = "|".join(CODE)
        fewer = {
            checked[0]: 'files = ["scripts/ci"]',
            "[tool.black]\n": f'[tool.black]\nextend-exclude = "^/({names})/"\n',
            'exclude = [".git",': f"exclude = [{listed},",
        }
        for before, after in fewer.items():
            assert before in settings
            settings = settings.replace(before, after)
        (self.clone / "pyproject.toml").write_text(settings, "utf-8")

    def push(self, message: str, *more: str, branch: str = "main") -> Run:
        """Commit the changes in the clone, push them, and run the workflow."""
        commit_all(self.clone, message)
        git(self.clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        event = events.push(self.clone, branch)
        return self.runner.run(self.clone, "push", event, *more)

    def pull(self) -> None:
        """Take in what the pipeline has published."""
        git(self.clone, "pull", "--quiet", "--ff-only", "origin", "main")

    @property
    def main(self) -> str:
        """The commit that main of the origin is at."""
        return git(self.origin, "rev-parse", "main")

    def files(self, commit: str = "main", under: str = "") -> set[str]:
        """Return the files of a commit in the origin."""
        list_files = ("ls-tree", "-r", "--name-only")
        names = git(self.origin, *list_files, commit, under or ".")
        return set(names.split("\n"))

    def runs(self) -> set[str]:
        """Return the runs that main of the origin holds."""
        paths = self.files(under="mlruns")
        return {path for path in paths if path.endswith("run.json")}

    def hook(self, name: str, text: str) -> None:
        """Give the origin a hook, as a server has."""
        path = self.origin / "hooks" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


def shared_sessions(folder: Path) -> dict[str, str]:
    """Return the environment of all runs, which share the environments of nox.

    They are those of the session that runs these tests, if one does.
    """
    above = Path(sys.prefix).parent
    shared = folder.parent / "nox"
    if (above / "own").is_dir():
        shared = above
    environment = {"NOX_ENVDIR": str(shared)}
    # The first call installs nox, which jobs that run side by side could not share.
    subprocess.run(
        ["./scripts/nox.sh", "-l"],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        capture_output=True,
    )
    return environment
