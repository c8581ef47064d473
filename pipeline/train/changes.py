"""The files that a training depends on and that no commit holds as they are."""

import tempfile
from pathlib import Path

from core.git import git
from pipeline.dvc.pointer import is_kept
from pipeline.repo import Repo

WATCHED = ("core", "history", "pipeline", "params.yaml", "requirements", "data")
# Written by Python, by systems and by editors; a training reads none of it.
_BY_PRODUCTS = ("__pycache__",)
# Compare a sparse checkout as if it were a full one.
_WHOLE = ("-c", "core.sparseCheckout=false")
_STATUS_OPTIONS = ("--porcelain", "-z", "--untracked-files=no", "--no-renames")


def changes(repo: Repo) -> list[str]:
    """Return the files that a training depends on and that differ from the last commit.

    A table is held by its `.dvc` file if it is what that file names.

    Their content is compared with HEAD in an index of its own: no ignore rule, no
    staged file and no `git update-index --assume-unchanged` hides anything. Files that
    a sparse checkout leaves out are not there, and so were not trained on.
    """
    root = repo.root
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        file = Path(folder) / "index"
        index = {"GIT_INDEX_FILE": str(file)}
        git(root, *_WHOLE, "read-tree", "HEAD", variables=index)
        status = git(
            root,
            *_WHOLE,
            "status",
            *_STATUS_OPTIONS,
            "--",
            *WATCHED,
            variables=index,
        )
        others = ("ls-files", "--others", "-z", "--", *WATCHED)
        untracked = git(root, *others, variables=index)
    left_out = _left_out(repo)
    changed = []
    for line in _entries(status):
        path = line[3:]  # after two letters and a space
        if path not in left_out:
            changed.append(path)
    for path in _entries(untracked):
        if not _is_by_product(path) and not is_kept(root / path):
            changed.append(path)
    return sorted(changed)


def _entries(output: str) -> list[str]:
    """Return the entries of Git's output with `-z`, each of which ends with a NUL."""
    return output.split("\0")[:-1]


def _left_out(repo: Repo) -> set[str]:
    """Return the files that a sparse checkout does not have."""
    tagged = git(repo.root, "ls-files", "-t", "-z", "--", *WATCHED)
    left_out = set()
    for entry in _entries(tagged):
        tag = entry[0]
        path = entry[2:]
        exists = (repo.root / path).exists()
        if tag == "S" and not exists:
            left_out.add(path)
    return left_out


def _is_by_product(path: str) -> bool:
    if path.endswith("~"):
        return True
    for part in path.rstrip("/").split("/"):
        if part.startswith(".") or part in _BY_PRODUCTS:
            return True
    return False
