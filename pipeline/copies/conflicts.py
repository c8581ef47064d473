"""What Git cannot merge: resolved where there is only one answer, else left to a
person.
"""

from fnmatch import fnmatch
from pathlib import Path

from core.files import write_atomic
from core.git import git, git_bytes, succeeds
from pipeline.copies import sections
from pipeline.copies.sides import LOCKS

PARAMS, TASKS = "params.yaml", "pipeline/tasks/*.yaml"
_MARKER = "<<<<<<< "


def resolve(tree: Path) -> list[str]:
    """Resolve what needs nobody's judgement; return the paths that are left.

    Sections of `params.yaml` that one side alone changed are taken from it. A task that
    was removed here stays removed. Lock files stay as they are here, to be made again
    of pyproject.toml.
    """
    for path in unmerged(tree):
        if path == PARAMS:
            _merge_params(tree)
        elif fnmatch(path, LOCKS) and len(_stages(tree, path)) == 3:
            git(tree, "checkout", "--ours", "--quiet", "--", path)
            git(tree, "add", "--", path)
        elif fnmatch(path, TASKS) and 2 not in _stages(tree, path):
            git(tree, "rm", "--quiet", "--cached", "--", path)
            (tree / path).unlink(missing_ok=True)
    return unmerged(tree)


def accept_edited(tree: Path) -> list[str]:
    """Take files that a person has freed of conflict markers; return the paths that are
    left.
    """
    for path in unmerged(tree):
        file = tree / path
        edited = {2, 3} <= _stages(tree, path) and file.is_file()
        if edited and _MARKER not in file.read_text("utf-8", errors="replace"):
            git(tree, "add", "--", path)
    return unmerged(tree)


def unmerged(tree: Path) -> list[str]:
    """Return the paths with a conflict in a worktree."""
    listed = git(tree, "diff", "--name-only", "-z", "--diff-filter=U")
    return [path for path in listed.split("\0") if path]


def describe(
    root: Path, ours: str, theirs: str, base: str, paths: list[str]
) -> list[str]:
    """Return a line for each path: why it was changed here, and why in the template."""
    return [
        f"{path}: here {_reason(root, ours, base, path)}; "
        f"in the template {_reason(root, theirs, base, path)}"
        for path in paths
    ]


def _reason(root: Path, commit: str, base: str, path: str) -> str:
    what = (
        "changed" if succeeds(root, "cat-file", "-e", f"{commit}:{path}") else "removed"
    )
    # In a copy with a history of its own, the base is no commit of it, and excludes
    # nothing.
    return (
        what
        + ' by "'
        + git(root, "log", "-1", "--format=%s", commit, f"^{base}", "--", path)
        + '"'
    )


def _stages(tree: Path, path: str) -> set[int]:
    """Return which sides have a conflicting file: 1 the base, 2 the copy, 3 the
    template.
    """
    lines = git(tree, "ls-files", "--unmerged", "--", path).splitlines()
    return {int(line.split("\t")[0].split(" ")[2]) for line in lines}


def _merge_params(tree: Path) -> None:
    if _stages(tree, PARAMS) != {1, 2, 3}:
        return
    texts = [
        git_bytes(tree, "show", f":{stage}:{PARAMS}").decode() for stage in (1, 2, 3)
    ]
    merged = sections.merge(*texts)
    if merged is not None:
        write_atomic(tree / PARAMS, merged)
        git(tree, "add", "--", PARAMS)
