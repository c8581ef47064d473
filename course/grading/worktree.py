"""Files of a commit in a folder of their own, written from Git's blobs.

Neither Git's checkout nor a filter, hook or link of the copy is involved; a commit with
too much in it is refused.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from core.errors import PipelineError
from core.git import git
from core.git_objects import Tree
from course.copy import Copy

MOST_FILES = 20_000
MOST_BYTES = 400_000_000
# What decides a model, apart from the code: a student's own part of a training.
SETTINGS = ("params.yaml", "pipeline/train/estimators.yaml", "pipeline/tasks", "data")
CODE = ("core", "history", "pipeline", "requirements", ".gitattributes", ".gitignore")
_IDENTITY = ("-c", "user.name=grader", "-c", "user.email=grader@example.org")


@contextmanager
def checkout(copy: Copy, commit: str = "HEAD") -> Iterator[Path]:
    """Write all files of a commit of the copy, during the block.

    Raises:
        PipelineError: there are too many, too large ones, or one lies outside.
    """
    with folder() as tree:
        write(copy, commit, ".", tree)
        yield tree


@contextmanager
def folder() -> Iterator[Path]:
    """Return a temporary folder, with a short name as Windows needs it."""
    with tempfile.TemporaryDirectory(
        prefix="course-", ignore_cleanup_errors=True
    ) as path:
        yield Path(path).resolve()


def write(copy: Copy, commit: str, part: str, target: Path) -> None:
    """Write the files of a commit that are below a folder, or one file.

    Args:
        copy: the copy.
        commit: the commit.
        part: the folder or file, `.` for all.
        target: where to write, with the paths that they have in the commit.

    Raises:
        PipelineError: there are too many, too large ones, or one lies outside.
    """
    _require_bounded(copy, commit, part)
    files = dict(Tree(copy.root, commit).files(part))
    if part != "." and not files:
        content = copy.content(part, commit)
        path = target / part
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return
    for name in files:
        if not _is_safe(name):
            raise PipelineError(f"the commit {commit[:7]} has the path {name!r}.")
    Tree(copy.root, commit).write_files(files, target)


def _is_safe(name: str) -> bool:
    """Return whether a path stays within its folder on every system."""
    if name.startswith("/"):
        return False
    if "\\" in name or ":" in name:
        return False
    parts = PurePosixPath(name).parts
    if ".." in parts:
        return False
    lowered = [part.lower() for part in parts]
    return ".git" not in lowered


def _require_bounded(copy: Copy, commit: str, part: str) -> None:
    listing = ("ls-tree", "-r", "-l", "--full-tree", commit)
    paths: list[str] = []
    if part != ".":
        paths = ["--", part]
    output = copy.git(*listing, *paths)
    sizes = []
    for line in output.splitlines():
        fields = line.split(maxsplit=4)
        size = fields[3]
        if size == "-":  # a submodule
            sizes.append(0)
        else:
            sizes.append(int(size))
    short = commit[:7]
    if len(sizes) > MOST_FILES:
        raise PipelineError(f"the commit {short} has {len(sizes):,} files.")
    total = sum(sizes)
    if total > MOST_BYTES:
        raise PipelineError(f"the commit {short} has {total:,} bytes.")


def template_code(root: Path, target: Path) -> None:
    """Copy the code of a training from the grader's own checkout."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in CODE:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copyfile(source, target / name)


def student_settings(copy: Copy, commit: str, target: Path) -> None:
    """Write a student's own part of a training over the template's: YAML and tables."""
    for name in SETTINGS:
        if not copy.has(name, commit):
            raise PipelineError(f"{name} is not in commit {commit[:7]}.")
    tasks = target / "pipeline" / "tasks"
    for task in tasks.glob("*.yaml"):
        task.unlink()
    listed = copy.paths("pipeline/tasks", commit)
    parts = [path for path in listed if path.endswith(".yaml")]
    parts += SETTINGS[:2]
    parts.append("data")
    for part in parts:
        write(copy, commit, part, target)


def commit_all(tree: Path) -> str:
    """Make a folder a repository with one commit on `main`, and return the commit.

    The bare origin is below `build`, which Git ignores: a program that publishes needs
    no other folder.
    """
    origin = tree / "build" / "origin.git"
    git(tree, "init", "--quiet", "-b", "main")
    git(tree, "add", "--all", "--force")
    git(tree, *_IDENTITY, "commit", "--quiet", "--message", "chore: replay")
    git(tree, "init", "--quiet", "--bare", "-b", "main", str(origin))
    git(tree, "remote", "add", "origin", str(origin))
    git(tree, "push", "--quiet", "origin", "main")
    return git(tree, "rev-parse", "HEAD")
