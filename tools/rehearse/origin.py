"""The bare repository that stands in GitHub's place."""

import subprocess
import sys
from pathlib import Path

from core.git import git
from scripts.stack.settings import ROOT
from tools.rehearse.act import REPOSITORY

IDENTITY = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.org")


def make(folder: Path, branch: str = "main") -> Path:
    """Make a bare repository whose default branch is at the commit checked out here."""
    bare = folder / "origin.git"
    git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", str(ROOT), str(bare))
    git(bare, "branch", "--force", branch, git(ROOT, "rev-parse", "HEAD"))
    git(bare, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return bare


def make_copy(folder: Path, branch: str) -> Path:
    """Make a bare repository as others make a copy of this one.

    It has another default branch, one commit, and nothing of our history.
    """
    bare, seed = folder / "origin.git", folder / "seed"
    git(folder, "clone", "--quiet", str(ROOT), str(seed))
    git(seed, "config", "user.name", "Rehearsal")
    git(seed, "config", "user.email", "rehearsal@example.org")
    head = git(ROOT, "rev-parse", "HEAD")
    template = git(seed, "commit-tree", "-m", "template", f"{head}^{{tree}}")
    git(seed, "checkout", "--quiet", "--detach", template)
    command = [sys.executable, "-m", "pipeline", "init", "--empty"]
    command += ["--repository", REPOSITORY, "--name", "rehearsal"]
    subprocess.run(command, cwd=seed, check=True, stdout=sys.stderr)
    commit = git(seed, "commit-tree", "-m", "Initial commit", "HEAD^{tree}")
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
    git(seed, "push", "--quiet", str(bare), f"{commit}:refs/heads/{branch}")
    return bare
