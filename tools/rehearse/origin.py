"""The bare repository that takes GitHub's place."""

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
    clone = ["clone", "--quiet", "--bare", "--no-hardlinks"]
    git(folder, *clone, str(ROOT), str(bare))
    head = git(ROOT, "rev-parse", "HEAD")
    git(bare, "branch", "--force", branch, head)
    git(bare, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return bare


def make_copy(folder: Path, branch: str) -> Path:
    """Make a bare repository like a copy that somebody makes of this template.

    It has another default branch, one commit, and nothing of our history.
    """
    bare = folder / "origin.git"
    seed = folder / "seed"
    git(folder, "clone", "--quiet", str(ROOT), str(seed))
    git(seed, "config", "user.name", "Rehearsal")
    git(seed, "config", "user.email", "rehearsal@example.org")
    head = git(ROOT, "rev-parse", "HEAD")
    tree = f"{head}^{{tree}}"
    template = git(seed, "commit-tree", "-m", "template", tree)
    git(seed, "checkout", "--quiet", "--detach", template)
    init = [
        sys.executable,
        "-m",
        "pipeline",
        "init",
        "--empty",
        "--repository",
        REPOSITORY,
        "--name",
        "rehearsal",
    ]
    subprocess.run(init, cwd=seed, check=True, stdout=sys.stderr)
    commit = git(seed, "commit-tree", "-m", "Initial commit", "HEAD^{tree}")
    git(folder, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
    target = f"{commit}:refs/heads/{branch}"
    git(seed, "push", "--quiet", str(bare), target)
    return bare
