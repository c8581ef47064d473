"""The bare repository that stands in GitHub's place."""

from pathlib import Path

from pipeline.git import git
from scripts.stack.settings import ROOT


def make(folder: Path, branch: str = "main") -> Path:
    """Make a bare repository whose default branch is the commit that is checked out here."""
    bare = folder / "origin.git"
    git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", str(ROOT), str(bare))
    git(bare, "branch", "--force", branch, git(ROOT, "rev-parse", "HEAD"))
    git(bare, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return bare
