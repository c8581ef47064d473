"""What a training rests on and no commit holds, whatever this clone's settings hide
from Git.
"""

import tempfile
from pathlib import Path

from core.git import git
from pipeline.repo import Repo

WATCHED = ("core", "history", "pipeline", "params.yaml", "requirements", "data")
# Made by Python, by systems and by editors; a training reads none of it.
_BY_PRODUCTS = ("__pycache__",)


def changes(repo: Repo) -> list[str]:
    """Return the files that a training rests on and that are not as in the last commit.

    Compared by content with HEAD, in an index made for it: no ignore rule, no staged
    file and no `git update-index --assume-unchanged` hides anything. Files that a
    sparse checkout leaves out are not there, and so were not trained on.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        whole = ("-c", "core.sparseCheckout=false")
        git(repo.root, *whole, "read-tree", "HEAD", variables=own)
        options = (
            "--porcelain",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--",
            *WATCHED,
        )
        said = git(repo.root, *whole, "status", *options, variables=own)
        listed = git(
            repo.root, "ls-files", "--others", "-z", "--", *WATCHED, variables=own
        )
    left_out = _left_out(repo)
    tracked = [line[3:] for line in said.split("\0")[:-1] if line[3:] not in left_out]
    return sorted(
        tracked + [path for path in listed.split("\0")[:-1] if not _is_by_product(path)]
    )


def _left_out(repo: Repo) -> set[str]:
    """Return the files that a sparse checkout does not have."""
    tagged = git(repo.root, "ls-files", "-t", "-z", "--", *WATCHED).split("\0")[:-1]
    skipped = {entry[2:] for entry in tagged if entry.startswith("S ")}
    return {path for path in skipped if not (repo.root / path).exists()}


def _is_by_product(path: str) -> bool:
    parts = path.rstrip("/").split("/")
    return any(
        part.startswith(".") or part in _BY_PRODUCTS for part in parts
    ) or path.endswith("~")
