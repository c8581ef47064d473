"""Resolves the merge conflicts that have only one answer; a person does the others."""

from fnmatch import fnmatch
from pathlib import Path

from core.files import write_atomic
from core.git import git, git_bytes, succeeds
from pipeline.copies import sections
from pipeline.copies.sides import LOCKS

PARAMS = "params.yaml"
TASKS = "pipeline/tasks/*.yaml"
# Git's numbers for the sides of a conflict: the base, the copy and the template.
BASE = 1
OURS = 2
THEIRS = 3
ALL = {BASE, OURS, THEIRS}
_MARKER = "<<<<<<< "


def resolve(tree: Path) -> list[str]:
    """Resolve what needs no judgement; return the paths that are left.

    Sections of `params.yaml` that only one side changed are taken from that side. A
    task that was removed here stays removed. Lock files stay as they are here, to be
    generated again from pyproject.toml.
    """
    for path in unmerged(tree):
        if path == PARAMS:
            _merge_params(tree)
            continue
        stages = _stages(tree, path)
        is_lock = fnmatch(path, LOCKS)
        is_task = fnmatch(path, TASKS)
        if is_lock and stages == ALL:
            git(tree, "checkout", "--ours", "--quiet", "--", path)
            git(tree, "add", "--", path)
        elif is_task and OURS not in stages:
            git(tree, "rm", "--quiet", "--cached", "--", path)
            (tree / path).unlink(missing_ok=True)
    return unmerged(tree)


def accept_edited(tree: Path) -> list[str]:
    """Accept files without conflict markers; return the paths that are left."""
    for path in unmerged(tree):
        file = tree / path
        if not file.is_file():
            continue
        stages = _stages(tree, path)
        if OURS not in stages or THEIRS not in stages:
            continue
        text = file.read_text("utf-8", errors="replace")
        if _MARKER not in text:
            git(tree, "add", "--", path)
    return unmerged(tree)


def unmerged(tree: Path) -> list[str]:
    """Return the paths with a conflict in a worktree."""
    listing = git(tree, "diff", "--name-only", "-z", "--diff-filter=U")
    paths = listing.split("\0")
    return [path for path in paths if path]


def describe(
    root: Path, ours: str, theirs: str, base: str, paths: list[str]
) -> list[str]:
    """Return a line for each path with the commits that changed it on either side."""
    lines = []
    for path in paths:
        here = _verb(root, ours, path)
        there = _verb(root, theirs, path)
        why_here = _last_subject(root, ours, base, path)
        why_there = _last_subject(root, theirs, base, path)
        lines.append(
            f'{path}: {here} here by "{why_here}", {there} in the template by'
            f' "{why_there}"'
        )
    return lines


def _verb(root: Path, commit: str, path: str) -> str:
    """Return what a side did with a file that both sides touched."""
    exists = succeeds(root, "cat-file", "-e", f"{commit}:{path}")
    return "changed" if exists else "removed"


def _last_subject(root: Path, commit: str, base: str, path: str) -> str:
    """Return the subject of the newest commit since the base that touched a file."""
    # In a copy with a history of its own, the base is not one of its commits, and
    # excludes nothing.
    commits = [commit, f"^{base}"]
    return git(root, "log", "-1", "--format=%s", *commits, "--", path)


def _stages(tree: Path, path: str) -> set[int]:
    """Return which sides have a conflicting file."""
    stages = set()
    listing = git(tree, "ls-files", "--unmerged", "--", path)
    for line in listing.splitlines():
        entry, _, _ = line.partition("\t")
        _mode, _object, stage = entry.split(" ")
        stages.add(int(stage))
    return stages


def _params(tree: Path, stage: int) -> str:
    """Return the text of `params.yaml` on one side of the conflict."""
    content = git_bytes(tree, "show", f":{stage}:{PARAMS}")
    return content.decode()


def _merge_params(tree: Path) -> None:
    if _stages(tree, PARAMS) != ALL:
        return
    merged = sections.merge(
        base=_params(tree, BASE),
        ours=_params(tree, OURS),
        theirs=_params(tree, THEIRS),
    )
    if merged is not None:
        write_atomic(tree / PARAMS, merged)
        git(tree, "add", "--", PARAMS)
