"""A repository that acts like one on GitHub, and runs of the step that publishes."""

import os
import subprocess
import sys
from pathlib import Path

from core.git import git
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.support import factories
from tests.support.small_project import shared_sessions
from tools.rehearse import origin
from tools.rehearse.act import REPOSITORY, TOKEN
from tools.rehearse.github import GitHub

Completed = subprocess.CompletedProcess[str]
# A rule that lets nothing but the deploy key change the default branch.
PROTECTED = """\
while read old new ref; do
  if [ "$ref" = refs/heads/trunk ] && [ -z "$DEPLOY_KEY" ]; then
    echo "error: GH013: Repository rule violations found for refs/heads/trunk." >&2
    echo "- Changes must be made through a pull request." >&2
    exit 1
  fi
done
"""
# What .github/rulesets/main.json requires: no deletion, nothing but fast-forward.
RULESET = """\
while read old new ref; do
  case $new in *[!0]*) ;; *) echo "GH013: Cannot delete this branch" >&2; exit 1;; esac
  case $old in *[!0]*) git merge-base --is-ancestor $old $new || exit 1;; esac
done
"""


class Team:
    """A repository whose default branch is `trunk`, and a run of its workflow."""

    def __init__(self, folder: Path, api: GitHub) -> None:
        self.folder = folder
        self.api = api
        self.origin = origin.make(folder, "trunk")
        self.clone = folder / "clone"
        self.output = folder / "output"
        git(folder, "clone", "--quiet", str(self.origin), str(self.clone))
        self.environment = shared_sessions(folder)
        self.runs = 0

    def commit(self, message: str = "feat: an idea") -> str:
        """Bring a commit of a person's to the default branch, past any rule."""
        params = f"# {message}\n{factories.PARAMS % 1}"
        (self.clone / "params.yaml").write_text(params)
        commit = commit_all(self.clone, message)
        target = "+HEAD:refs/heads/trunk"
        git(self.origin, "fetch", "--quiet", str(self.clone), target)
        return commit

    def train(self, noise: float) -> None:
        """Put a bundle of iris where the job that trains has left it."""
        head = git(self.clone, "rev-parse", "HEAD")
        bundle = self.clone / "build" / "bundle"
        factories.bundle(bundle, head, {"iris": noise}, self.runs)

    def publish(self, **environment: str) -> Completed:
        """Run the step in the checkout, as a new run of the workflow."""
        self.runs += 1
        self.output.unlink(missing_ok=True)
        variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.api.address,
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.runs),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_TOKEN": TOKEN,
            "BRANCH": "trunk",
        }
        return subprocess.run(
            [sys.executable, "-m", "scripts.ci.publish"],
            cwd=self.clone,
            env=os.environ | self.environment | variables | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the step."""
        outputs = {}
        for line in self.output.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            outputs[name] = value
        return outputs

    @property
    def report(self) -> str:
        """The report that the step leaves in the checkout."""
        return (self.clone / "build" / "report.md").read_text("utf-8")

    def set_rule(self, script: str) -> None:
        """Give the origin what decides on a push."""
        path = self.origin / "hooks" / "pre-receive"
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    def tip(self, branch: str = "trunk") -> str:
        """The commit that a branch of the origin is at."""
        return git(self.origin, "rev-parse", branch)

    def parent_of(self, commit: str) -> str:
        """The commit of the origin on which a commit is built."""
        return git(self.origin, "rev-parse", f"{commit}~1")

    def landed(self, done: Completed, branch: str = "trunk") -> str:
        """Check that a publication is the tip of a branch, and good; return it."""
        assert done.returncode == 0, done.stdout
        commit = self.outputs["commit"]
        assert commit == self.tip(branch)
        name = f"checkout-{self.runs}-{commit[:9]}"
        checkout = self.folder / name
        options = ("--quiet", "--branch", branch)
        git(self.folder, "clone", *options, str(self.origin), str(checkout))
        assert verify(Repo.open(checkout)) == []
        return commit

    def published(self, branch: str = "trunk", **environment: str) -> str:
        """Publish, check that it has landed on a branch, and return the commit."""
        return self.landed(self.publish(**environment), branch)
