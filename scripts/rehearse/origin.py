"""The bare repository that stands in GitHub's place."""

from pathlib import Path

from pipeline.git import git
from scripts.stack.settings import ROOT


def make(folder: Path) -> Path:
    """Make a bare repository in a folder whose main is the commit that is checked out here."""
    bare = folder / "origin.git"
    git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", str(ROOT), str(bare))
    git(bare, "branch", "--force", "main", git(ROOT, "rev-parse", "HEAD"))
    git(bare, "symbolic-ref", "HEAD", "refs/heads/main")
    return bare
