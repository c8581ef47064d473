"""Copies of students that are broken, huge or hostile, each in a folder of its own."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from core.git import git
from course import student
from tests.conftest import commit_all

FILES = 100_000
LEVELS = 12
WIDTH = 10


def begun(folder: Path, handle: str) -> Path:
    """Return a repository that holds the student's file and little else."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "config", "user.name", handle)
    git(folder, "config", "user.email", f"{handle}@example.org")
    (folder / "course").mkdir()
    (folder / student.FILE).write_text(student.write(handle, "1.0.0"), "utf-8")
    commit_all(folder, "chore: begin the course")
    return folder


def add_tree(folder: Path, *entries: str) -> str:
    """Commit a tree of lines as `git mktree` reads them, and return the commit."""
    listed = git(folder, "ls-tree", "HEAD").splitlines()
    tree = git(folder, "mktree", "--missing", stdin="\n".join((*listed, *entries)))
    commit = git(folder, "commit-tree", tree, "-p", "HEAD", "-m", "feat: add more")
    git(folder, "update-ref", "refs/heads/main", commit)
    return commit


def blob(folder: Path, text: str) -> str:
    """Store a text, and return its blob."""
    return git(folder, "hash-object", "-w", "--stdin", stdin=text)


def many_files(folder: Path) -> None:
    """Add a folder with 100,000 files."""
    empty = blob(folder, "")
    lines = [f"100644 blob {empty}\tf{number:06}" for number in range(FILES)]
    tree = git(folder, "mktree", stdin="\n".join(lines))
    add_tree(folder, f"040000 tree {tree}\tmany")


def tree_bomb(folder: Path) -> None:
    """Add a folder of folders of folders: 10 ** 13 files in 13 small trees."""
    lines = [f"100644 blob {blob(folder, '')}\tf{number}" for number in range(WIDTH)]
    tree = git(folder, "mktree", stdin="\n".join(lines))
    for _ in range(LEVELS):
        lines = [f"040000 tree {tree}\td{number}" for number in range(WIDTH)]
        tree = git(folder, "mktree", stdin="\n".join(lines))
    add_tree(folder, f"040000 tree {tree}\tbomb")


def links(folder: Path) -> None:
    """Add symbolic links: to a file of the computer, and in place of a folder."""
    file = blob(folder, "/etc/passwd")
    above = blob(folder, "../../..")
    add_tree(folder, f"120000 blob {file}\tlink", f"120000 blob {above}\tmlruns")


def nested(folder: Path) -> None:
    """Add a submodule whose commit nobody has."""
    add_tree(folder, f"160000 commit {'1' * 40}\tnested")


def dot_git(folder: Path) -> None:
    """Add a folder `.git` with settings that start a program."""
    settings = blob(folder, "[core]\n\tfsmonitor = touch executed\n")
    inner = git(folder, "mktree", stdin=f"100644 blob {settings}\tconfig")
    add_tree(folder, f"040000 tree {inner}\t.git")


def yaml_bomb(folder: Path) -> None:
    """Replace the student's file by one that grows without end."""
    lines = ["a: &a [x, x]"]
    for last, name in pairwise("abcdefghi"):
        lines.append(f"{name}: &{name} [*{last}, *{last}]")
    (folder / student.FILE).write_text("\n".join(lines), "utf-8")
    commit_all(folder, "chore: change my name")


def filters(folder: Path) -> None:
    """Add attributes, and settings and hooks that would start a program."""
    marker = folder / "executed"
    (folder / ".gitattributes").write_text("* filter=bad\n", "utf-8")
    commit_all(folder, "chore: add attributes")
    git(folder, "config", "filter.bad.smudge", f"touch {marker}")
    git(folder, "config", "core.fsmonitor", f"touch {marker}")
    git(folder, "config", "uploadpack.packObjectsHook", f"touch {marker}")
    hooks = folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "pre-push", "reference-transaction"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n", "utf-8")
        hook.chmod(0o755)


def large_file(folder: Path) -> None:
    """Add a file whose bytes cannot be compressed."""
    (folder / "large").write_bytes(os.urandom(3_000_000))
    commit_all(folder, "feat: add a large file")


# Each with a part of the line that it gets in the sheet; none where the copy is graded.
FORGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "many-files": (many_files, "100,001 files"),
    "tree-bomb": (tree_bomb, "more than 1,000,000,000 files"),
    "dot-git": (dot_git, "hasDotgit"),
    "yaml-bomb": (yaml_bomb, "aliases"),
    "links": (links, ""),
    "nested": (nested, ""),
    "filters": (filters, ""),
}
