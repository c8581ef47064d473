"""Where a run lies below `mlruns/`: `<experiment>/<YYYY-MM-DD>/<run_id>/`.

Git ignores `mlruns/.local/`: what a notebook logs into the running server, and
unfinished work.
"""

import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from core.errors import PipelineError
from history import names

RUN_FILE = "run.json"
ARTIFACTS = "artifacts"
MODELS = "models"
REGISTRY = "registry"
LOCAL = ".local"
# GitHub advises at most 3,000 entries a directory.
MOST_ENTRIES = 3000
URI_SCHEME = "mlflow-artifacts:/"
RUN_ID = re.compile(r"[0-9a-f]{32}$")
ENDS_WITH_DIGEST = re.compile(r"-[0-9a-f]{8}$")
DAY = re.compile(r"\d{4}-\d\d-\d\d(_\d+)?$")
HISTORY_URI = re.compile(
    rf"{URI_SCHEME}[^/.][^/]*/\d{{4}}-\d\d-\d\d(_\d+)?/[0-9a-f]{{32}}/"
)


def experiment_folder(name: str) -> str:
    """Return a folder name for an experiment that is safe on every file system and in a
    URI.

    No two experiments share a folder, also where upper and lower case are the same. A
    plain name in lower case is its own folder; any other is followed by a digest.
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40].rstrip("-")
    plain = (
        slug == name.lower() and not ENDS_WITH_DIGEST.search(name) and name != REGISTRY
    )
    if plain and not names.fault_of(name):
        return name
    return f"{slug or 'experiment'}-{_digest(name)}"


def is_experiment_folder(folder: str, name: str) -> bool:
    """Tell whether a folder is one for this experiment: today's, or one of an earlier
    version.

    Those took any name of letters, digits, `_` and `-` as it was.
    """
    if folder == experiment_folder(name):
        return True
    return (
        folder == name or folder.endswith(f"-{_digest(name)}")
    ) and not names.fault_of(folder)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]


def time(milliseconds: int) -> datetime:
    """Return a time in milliseconds since the epoch, as MLflow has it, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def day_folder(mlruns: Path, experiment: str, started: int) -> Path:
    """Return the folder for a run that started at `started` (ms); a full day gets
    another one.
    """
    day = time(started).date().isoformat()
    folder, number = mlruns / experiment_folder(experiment) / day, 1
    while folder.is_dir() and len(os.listdir(folder)) >= MOST_ENTRIES:
        number += 1
        folder = folder.with_name(f"{day}_{number}")
    return folder


def date(day: Path) -> str:
    """Return the date of a folder that holds run folders, such as `2026-11-18`."""
    return day.name.partition("_")[0]


def artifact_uri(day: Path, run_id: str, *below: str) -> str:
    """Return a run's address, or a file's, for a server whose artifact destination is
    `mlruns`.
    """
    return URI_SCHEME + "/".join((*day.parts[-2:], run_id, *below))


def is_history_uri(uri: str | None) -> bool:
    """Tell whether an artifact address is one that `artifact_uri` makes."""
    return bool(uri and HISTORY_URI.match(uri))


def run_folders(mlruns: Path) -> dict[str, Path]:
    """Return every run's folder by run id, each experiment's oldest first.

    Raises:
        PipelineError: one run id lies in two folders.
    """
    return {run_id: day / run_id for run_id, day in run_days(mlruns).items()}


def run_days(mlruns: Path) -> dict[str, Path]:
    """Return the folder that each run's folder lies in; see `run_folders`."""
    found: dict[str, Path] = {}
    for day in day_folders(mlruns):
        for run_id in filter(RUN_ID.match, folders(day)):
            if (other := found.setdefault(run_id, day)) is not day:
                raise PipelineError(
                    f"the run {run_id} lies in two folders, {other} and {day}: remove"
                    " the one that `git log` shows to be the later."
                )
    return found


def day_folders(mlruns: Path) -> list[Path]:
    """Return the folders that hold run folders, oldest first within each experiment."""
    experiments = (
        name for name in folders(mlruns) if name != REGISTRY and name[0] != "."
    )
    return [
        mlruns / experiment / day
        for experiment in experiments
        for day in folders(mlruns / experiment)
        if DAY.match(day)
    ]


def folders(parent: Path | str) -> list[str]:
    """Return the names of the folders in a folder in order; none if it is not there."""
    try:
        with os.scandir(parent) as entries:
            return sorted(
                entry.name for entry in entries if entry.is_dir(follow_symlinks=False)
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
