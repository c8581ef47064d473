"""Tables that Git and DVC both keep, or that are not what DVC's file names."""

from pathlib import Path

from core.errors import PipelineError
from core.git import GitError, git
from history.faults import Fault
from pipeline.dvc import pointer as pointers
from pipeline.dvc.pointer import SHOWN_DIGITS, SUFFIX, Pointer, md5_file, shown

TABLES = ".csv.gz"


def find_faults(root: Path) -> list[Fault]:
    """Return what disagrees about the tables in `data/`."""
    faults = []
    paths = (root / "data").glob(f"*{TABLES}{SUFFIX}")
    for path in sorted(paths):
        table = path.with_name(path.name.removesuffix(SUFFIX))
        try:
            pointer = pointers.read(table)
        except PipelineError as error:
            reason = str(error).removeprefix(f"{shown(path)}: ")
            reason = reason.rstrip(".")
            faults.append(Fault(shown(path), reason))
            continue
        assert pointer
        reason = _disagreement(root, table, pointer)
        if reason:
            faults.append(Fault(shown(table), reason))
    return faults


def _disagreement(root: Path, table: Path, pointer: Pointer) -> str:
    """Return what disagrees about one table; empty if nothing does."""
    name = shown(table)
    remedy = f"take one of the two away: `git rm --cached {name}`, or {name}{SUFFIX}"
    is_same = not table.is_file() or md5_file(table) == pointer.md5
    if not is_same:
        difference = (
            f"its MD5 is {md5_file(table)[:SHOWN_DIGITS]}…, and {name}{SUFFIX} names"
            f" {pointer.md5[:SHOWN_DIGITS]}…"
        )
        if _is_in_git(root, name):
            return f"Git and DVC keep different tables ({difference}): {remedy}"
        return f"{difference}: run `dvc add {name}` or `dvc checkout --force {name}`"
    if _is_in_git(root, name):
        return f"Git and DVC both keep it: {remedy}"
    return ""


def _is_in_git(root: Path, name: str) -> bool:
    try:
        return bool(git(root, "ls-files", "--", name))
    except GitError:  # not a Git repository
        return False
