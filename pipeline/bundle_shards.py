"""Joins the bundles of a training's shards into one, for a single publication."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import PipelineError
from pipeline import bundle as bundles
from pipeline.bundle import Bundle, TaskResult

# The folders of a bundle; the names of files in them belong to a task or a run.
CONTENT = ("mlruns", "holdout", "data")


@contextmanager
def joined(folder: Path) -> Iterator[Path]:
    """Yield the folder of a bundle; those in subfolders are joined in a temporary one.

    Args:
        folder: a bundle's folder, or one with a folder for each shard.

    Raises:
        PipelineError: the bundles do not belong together.
    """
    files = folder.glob(f"*/{bundles.FILE}")
    shards = sorted(path.parent for path in files)
    if (folder / bundles.FILE).is_file() or not shards:
        yield folder
        return
    parts = [bundles.read(shard) for shard in shards]
    bundle = _join(folder, parts)
    with tempfile.TemporaryDirectory(prefix="mlops-") as name:
        target = Path(name)
        for shard in shards:
            _copy(shard, target)
        bundles.write(target, bundle)
        yield target


def _copy(shard: Path, target: Path) -> None:
    for name in CONTENT:
        source = shard / name
        if source.is_dir():
            shutil.copytree(source, target / name, dirs_exist_ok=True)


def _join(folder: Path, parts: list[Bundle]) -> Bundle:
    """Return what describes all bundles of a folder together."""
    commits = sorted({part.commit[:12] for part in parts})
    if len(commits) > 1:
        raise PipelineError(
            f"{folder} has bundles of several commits ({', '.join(commits)}): delete it,"
            " and train all shards at one commit."
        )
    tasks: dict[str, TaskResult] = {}
    waiting: dict[str, str] = {}
    dirty: set[str] = set()
    for part in parts:
        for name, result in part.tasks.items():
            if name in tasks:
                raise PipelineError(
                    f"{folder} has two bundles with the task {name}: delete the older"
                    " one."
                )
            tasks[name] = result
        waiting |= part.waiting
        dirty.update(part.dirty)
    return Bundle(
        format=1,
        commit=parts[0].commit,
        dirty=sorted(dirty),
        created=max(part.created for part in parts),
        tasks=tasks,
        waiting=waiting,
    )
