"""Where a run lies below `mlruns/`: `<experiment>/<YYYY-MM-DD>/<run_id>/`."""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import PipelineError

RUN_FILE = "run.json"
ARTIFACTS = "artifacts"
MODELS = "models"
REGISTRY = "registry"
# GitHub advises at most 3,000 entries a directory.
MOST_ENTRIES = 3000
URI_SCHEME = "mlflow-artifacts:/"


def experiment_folder(name: str) -> str:
    """Return a folder name for an experiment that is safe on every file system and in a URI."""
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:60]
    if slug == name and name.lower() != REGISTRY:
        return name
    return f"{slug or 'experiment'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def day_folder(mlruns: Path, experiment: str, started: int) -> Path:
    """Return the folder for a run that started at `started` (ms); a full day gets another one."""
    day = datetime.fromtimestamp(started / 1000, UTC).date().isoformat()
    base = mlruns / experiment_folder(experiment)
    number = 1
    while True:
        folder = base / (day if number == 1 else f"{day}_{number}")
        if not folder.is_dir() or len(os.listdir(folder)) < MOST_ENTRIES:
            return folder
        number += 1


def artifact_uri(mlruns: Path, run_folder: Path, *below: str) -> str:
    """Return the address of a run's file for a server whose artifact destination is `mlruns`."""
    return URI_SCHEME + "/".join((*run_folder.relative_to(mlruns).parts, *below))


def run_folders(mlruns: Path) -> dict[str, Path]:
    """Return every run's folder by run id.

    Raises:
        PipelineError: one run id lies in two folders.
    """
    found: dict[str, Path] = {}
    for folder in _walk(mlruns):
        if (other := found.setdefault(folder.name, folder)) != folder:
            raise PipelineError(
                f"the run {folder.name} lies in two folders, {other} and {folder}: remove one."
            )
    return found


def _walk(mlruns: Path) -> Iterator[Path]:
    for experiment in _folders(mlruns):
        if experiment.name != REGISTRY:
            for day in _folders(experiment):
                yield from _folders(day)


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    with os.scandir(parent) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir())
