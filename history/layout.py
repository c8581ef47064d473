"""The layout of a history: `mlruns/<experiment>/<YYYY-MM-DD>/<run_id>/`.

Git ignores `mlruns/.local/`, which holds what a notebook logs to the running server, and
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
# The runs of archived years, below LOCAL, in a folder for each year.
ARCHIVED = "archived"
# GitHub advises at most 3,000 entries per directory.
MOST_ENTRIES = 3000
URI_SCHEME = "mlflow-artifacts:/"
RUN_ID = re.compile(r"[0-9a-f]{32}$")
ENDS_WITH_DIGEST = re.compile(r"-[0-9a-f]{8}$")
DAY = re.compile(r"\d{4}-\d\d-\d\d(_\d+)?$")
_ARCHIVED_YEAR = r"(?:\.local/archived/\d{4}/)?"
HISTORY_URI = re.compile(
    rf"{URI_SCHEME}{_ARCHIVED_YEAR}[^/.][^/]*/\d{{4}}-\d\d-\d\d(_\d+)?/[0-9a-f]{{32}}/"
)


def experiment_folder(name: str) -> str:
    """Return a folder name for an experiment that is safe on every file system.

    It is also safe in a URI. No two experiments share a folder, even where upper and
    lower case are the same. A plain name in lower case is its own folder; any other is
    followed by a digest.
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    slug = slug.strip("-")[:40].rstrip("-")
    is_plain = slug == name.lower() and name != REGISTRY
    ambiguous = ENDS_WITH_DIGEST.search(name) or names.fault_of(name)
    if is_plain and not ambiguous:
        return name
    start = slug or "experiment"
    return f"{start}-{_digest(name)}"


def is_experiment_folder(folder: str, name: str) -> bool:
    """Return whether a folder is one for this experiment, also of an earlier version.

    Earlier versions took any name of letters, digits, `_` and `-` as it was.
    """
    if folder == experiment_folder(name):
        return True
    ending = f"-{_digest(name)}"
    is_earlier = folder == name or folder.endswith(ending)
    return is_earlier and not names.fault_of(folder)


def _digest(name: str) -> str:
    content = name.encode(errors="surrogatepass")
    digest = hashlib.sha256(content).hexdigest()
    return digest[:8]


def time(milliseconds: int) -> datetime:
    """Return a time in milliseconds since the epoch, which MLflow uses, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def day_folder(
    mlruns: Path,
    experiment: str,
    started: int,
) -> Path:
    """Return the folder for a new run that started at `started` (ms).

    When the folder of a day is full, the next one gets a number.
    """
    day = time(started).date().isoformat()
    folder = mlruns / experiment_folder(experiment) / day
    number = 1
    while _is_full(folder):
        number += 1
        folder = folder.with_name(f"{day}_{number}")
    return folder


def _is_full(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    entries = os.listdir(folder)
    return len(entries) >= MOST_ENTRIES


def date(day: Path) -> str:
    """Return the date of a folder that holds run folders, such as `2026-11-18`."""
    name, _, _ = day.name.partition("_")
    return name


def artifact_uri(day: Path, run_id: str, *below: str) -> str:
    """Return the address of a run, or of a file of it.

    It is one of a server whose artifact destination is `mlruns`.
    """
    place = day.parts[-2:]  # the experiment and the day
    if day.parts[-5:-3] == (LOCAL, ARCHIVED):
        place = day.parts[-5:]
    path = "/".join((*place, run_id, *below))
    return f"{URI_SCHEME}{path}"


def is_history_uri(uri: str | None) -> bool:
    """Return whether an artifact address is one that `artifact_uri` returns."""
    return bool(uri and HISTORY_URI.match(uri))


def run_folders(mlruns: Path) -> dict[str, Path]:
    """Return every run's folder by run ID, each experiment's oldest first.

    Raises:
        PipelineError: one run ID lies in two folders.
    """
    folders_by_id = {}
    for run_id, day in run_days(mlruns).items():
        folders_by_id[run_id] = day / run_id
    return folders_by_id


def archived_folder(mlruns: Path, year: str) -> Path:
    """Return the folder with the extracted runs of an archived year."""
    return mlruns / LOCAL / ARCHIVED / year


def all_run_days(mlruns: Path) -> dict[str, Path]:
    """Return the same as `run_days`, with the runs of archived years that are here."""
    days = {}
    for year in folders(mlruns / LOCAL / ARCHIVED):
        days.update(run_days(archived_folder(mlruns, year)))
    return days | run_days(mlruns)


def run_days(mlruns: Path) -> dict[str, Path]:
    """Return the folder that each run's folder lies in; see `run_folders`."""
    days: dict[str, Path] = {}
    for day in day_folders(mlruns):
        for run_id in folders(day):
            if not RUN_ID.match(run_id):
                continue
            other = days.setdefault(run_id, day)
            if other is not day:
                raise lies_twice(run_id, other, day)
    return days


def lies_twice(run_id: str, one: object, other: object) -> PipelineError:
    """Return the error of a run that lies in two folders."""
    return PipelineError(
        f"the run {run_id} lies in two folders, {one} and {other}: remove the one that"
        " `git log` shows to be the later."
    )


def find_run(mlruns: Path, run_id: str) -> Path | None:
    """Return the folder of a run, or None; only the folders of days are listed."""
    for day in day_folders(mlruns):
        folder = day / run_id
        if folder.is_dir():
            return folder
    return None


def day_folders(mlruns: Path) -> list[Path]:
    """Return the folders that hold run folders, oldest first within each experiment."""
    days = []
    for name in folders(mlruns):
        if name == REGISTRY or name.startswith("."):
            continue
        experiment = mlruns / name
        for day in folders(experiment):
            if DAY.match(day):
                days.append(experiment / day)
    return days


def folders(parent: Path | str) -> list[str]:
    """Return the names of the folders in a folder, sorted; none if it does not exist."""
    names_of_folders = []
    try:
        with os.scandir(parent) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    names_of_folders.append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(names_of_folders)
