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
    file = folder / student.FILE
    file.parent.mkdir()
    text = student.write(handle, "1.0.0")
    file.write_text(text, "utf-8")
    commit_all(folder, "chore: begin the course")
    return folder


def add_tree(folder: Path, *entries: str) -> str:
    """Commit a tree of lines as `git mktree` reads them, and return the commit."""
    listed = git(folder, "ls-tree", "HEAD")
    lines = listed.splitlines()
    lines += entries
    tree = make_tree(folder, lines)
    commit = git(folder, "commit-tree", tree, "-p", "HEAD", "-m", "feat: add more")
    git(folder, "update-ref", "refs/heads/main", commit)
    return commit


def make_tree(folder: Path, lines: list[str]) -> str:
    """Store a tree of lines as `git mktree` reads them, and return its name."""
    return git(folder, "mktree", "--missing", stdin="\n".join(lines))


def blob(folder: Path, text: str) -> str:
    """Store a text, and return its blob."""
    return git(folder, "hash-object", "-w", "--stdin", stdin=text)


def many_files(folder: Path) -> None:
    """Add a folder with 100,000 files."""
    empty = blob(folder, "")
    lines = []
    for number in range(FILES):
        lines.append(f"100644 blob {empty}\tf{number:06}")
    tree = make_tree(folder, lines)
    add_tree(folder, f"040000 tree {tree}\tmany")


def tree_bomb(folder: Path) -> None:
    """Add a folder of folders of folders: 10 ** 13 files in 13 small trees."""
    empty = blob(folder, "")
    lines = []
    for number in range(WIDTH):
        lines.append(f"100644 blob {empty}\tf{number}")
    tree = make_tree(folder, lines)
    for _ in range(LEVELS):
        lines = []
        for number in range(WIDTH):
            lines.append(f"040000 tree {tree}\td{number}")
        tree = make_tree(folder, lines)
    add_tree(folder, f"040000 tree {tree}\tbomb")


def links(folder: Path) -> None:
    """Add symbolic links: to a file of the computer, and in place of a folder."""
    file = blob(folder, "/etc/passwd")
    above = blob(folder, "../../..")
    to_a_file = f"120000 blob {file}\tlink"
    in_place_of_a_folder = f"120000 blob {above}\tmlruns"
    add_tree(folder, to_a_file, in_place_of_a_folder)


def nested(folder: Path) -> None:
    """Add a submodule whose commit nobody has."""
    commit = "1" * 40
    add_tree(folder, f"160000 commit {commit}\tnested")


def dot_git(folder: Path) -> None:
    """Add a folder `.git` with settings that start a program."""
    settings = blob(folder, "[core]\n\tfsmonitor = touch executed\n")
    inner = make_tree(folder, [f"100644 blob {settings}\tconfig"])
    add_tree(folder, f"040000 tree {inner}\t.git")


def yaml_bomb(folder: Path) -> None:
    """Replace the student's file by one that grows without end."""
    lines = ["a: &a [x, x]"]
    for last, name in pairwise("abcdefghi"):
        lines.append(f"{name}: &{name} [*{last}, *{last}]")
    text = "\n".join(lines)
    (folder / student.FILE).write_text(text, "utf-8")
    commit_all(folder, "chore: change my name")


def filters(folder: Path) -> None:
    """Add attributes, and settings and hooks that would start a program."""
    marker = folder / "executed"
    program = f"touch {marker}"
    attributes = folder / ".gitattributes"
    attributes.write_text("* filter=bad\n", "utf-8")
    commit_all(folder, "chore: add attributes")
    git(folder, "config", "filter.bad.smudge", program)
    git(folder, "config", "core.fsmonitor", program)
    git(folder, "config", "uploadpack.packObjectsHook", program)
    hooks = folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "pre-push", "reference-transaction"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\n{program}\n", "utf-8")
        hook.chmod(0o755)


def large_file(folder: Path) -> None:
    """Add a file whose bytes cannot be compressed."""
    content = os.urandom(3_000_000)
    (folder / "large").write_bytes(content)
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
