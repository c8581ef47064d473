"""Move the runs of a year out of the newest commit, into a tag that keeps them.

The tag `history/YEAR` names the last commit that has all of them. `extract` writes
those that were moved into `mlruns/.local/archived/YEAR/`, which Git ignores, and from
there they are built into MLflow's database like all others.
"""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.counts import counted
from core.errors import PipelineError, UsageError
from core.files import emptied
from core.git import GitError, git, succeeds
from core.git_objects import Tree
from core.git_trees import changed_tree, entries, files_below, folder_of
from history import layout
from history.archived_tags import TAGS, TRAILER, YEAR, has_tag
from history.faults import listed
from history.history import History
from history.location import Location
from history.prune import Families


@dataclass(frozen=True)
class Archived:
    """What was moved: how many runs, how many of the year stay, the tag, the commit."""

    moved: int
    stay: int
    tag: str
    commit: str


def archive(history: History, year: str, now: datetime | None = None) -> Archived:
    """Tag the newest commit, and remove the runs of a year in a commit on top of it.

    Families with a run that was promoted stay, and so do those with a run of another
    year, and those whose models a family that stays uses. The caller pushes the commit
    and the tag.

    Raises:
        UsageError: the year is none, or has not ended, or was archived already, or has
            no run that can be moved; or the checkout is not as it was committed.
        PipelineError: a run of the year is not valid.
    """
    root = history.root
    tag = _check_year(root, year, now or datetime.now(UTC))
    _require_committed(history.location)
    of_year = _runs_of(history, year)
    moved = _movable(history, of_year)
    if not moved:
        raise UsageError(
            f"no run of {year} can be archived:"
            f" {counted(len(of_year), 'run of that year is', 'runs of that year are')}"
            " here: those of promoted models, or that belong with later ones."
        )
    faults = history.verify(moved)
    if faults:
        raise PipelineError(
            f"nothing was archived, because the history has faults: {listed(faults)}."
        )
    head = git(root, "rev-parse", "HEAD")
    message = f"Runs of {year} that later commits do not hold"
    git(root, "tag", "--annotate", "--force", "--message", message, tag, head)
    commit = _remove(history, moved, year, head)
    stay = len(of_year) - len(moved)
    return Archived(len(moved), stay, tag, commit)


def _check_year(root: Path, year: str, now: datetime) -> str:
    """Return the name of the tag of a year that can be archived."""
    if not YEAR.fullmatch(year):
        raise UsageError(f"{year!r} is no year: name one such as {now.year - 1}.")
    if int(year) >= now.year:
        raise UsageError(f"{year} has not ended: archive it when it has.")
    tag = TAGS + year
    if not has_tag(root, year):
        return tag
    # A call that was killed has made the tag, and no commit yet.
    commits = git(root, "rev-parse", f"{tag}^{{commit}}", "HEAD")
    tagged, head = commits.splitlines()
    if tagged != head:
        raise UsageError(f"{year} was archived already: the tag {tag} holds its runs.")
    return tag


def _require_committed(location: Location) -> None:
    try:
        prefix = git(location.root, "rev-parse", "--show-prefix")
        changed = git(location.root, "status", "--porcelain", "--", location.name)
        staged = git(location.root, "diff", "--cached", "--name-only")
    except GitError as error:
        raise UsageError(
            f"{location.root} is not a Git repository with a commit: there is nothing"
            " to archive."
        ) from error
    if prefix:
        raise UsageError(
            f"{location.root} is the folder {prefix} of a Git repository: only a history"
            " at its top can be archived."
        )
    if not succeeds(location.root, "var", "GIT_COMMITTER_IDENT"):
        raise UsageError(
            "Git has no name and address for the author of the commit: set them with"
            " `git config user.name NAME` and `git config user.email ADDRESS`."
        )
    if changed or staged:
        raise UsageError(
            f"{location.name}/ or the index has changes that are not committed: commit"
            " or stash them first."
        )


def _runs_of(history: History, year: str) -> set[str]:
    run_ids = set()
    for run_id, folder in history.folders.items():
        if layout.date(folder.parent).startswith(f"{year}-"):
            run_ids.add(run_id)
    return run_ids


def _movable(history: History, of_year: set[str]) -> set[str]:
    """Return the runs of a year without which everything else stays whole."""
    runs = {run.run_id: run for run in history.runs()}
    kept = runs.keys() - of_year
    for model in history.models():
        for promotion in history.promotions(model):
            kept.add(promotion.run_id)
    return of_year - Families(runs).with_lineage(kept)


def _remove(history: History, run_ids: Iterable[str], year: str, head: str) -> str:
    """Remove runs from the checkout and the index, and commit that."""
    root = history.root
    folders = []
    for run_id in sorted(run_ids):
        folders.append(history.location.relative(history.folders[run_id]))
    # `git rm` compares each file with each folder, which takes hours for many runs.
    tree = changed_tree(root, head, {}, folders)
    git(root, "read-tree", "-m", "-u", "HEAD", tree)
    message = (
        f"chore(history): archive {counted(len(folders), 'run')} of {year}\n\n"
        f"The tag {TAGS}{year} holds them.\n\n{TRAILER}: {year} {head}\n"
    )
    git(root, "commit", "--quiet", "--no-verify", "--file=-", stdin=message)
    history.refresh()
    return git(root, "rev-parse", "HEAD")


def extract(history: History, year: str) -> int:
    """Write the runs of an archived year to where `history build` finds them.

    Returns how many they are. Those of an earlier call are replaced.

    Raises:
        UsageError: this clone has no such tag.
    """
    root = history.root
    tag = TAGS + year
    if not has_tag(root, year):
        raise UsageError(
            f"there is no tag {tag} here: `git fetch origin tag {tag}` brings it, if"
            f" {year} was archived."
        )
    places = _archived_places(history, tag, year)
    blobs = files_below(root, places)
    start = f"{history.location.name}/"
    files = {}
    for path, blob in blobs.items():
        files[path.removeprefix(start)] = blob
    target = layout.archived_folder(history.path, year)
    extracting = history.path / layout.LOCAL / "extracting"
    with emptied(extracting) as folder:
        Tree(root, tag).write_files(files, folder)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)
        os.replace(folder, target)
    return len(places)


def _archived_places(history: History, tag: str, year: str) -> dict[str, str]:
    """Return the trees of the runs that a tag has and the checkout does not, by path."""
    root = history.root
    commit = f"{tag}^{{commit}}"
    places = {}
    whole = folder_of(root, commit, history.location.name)
    experiments = _folders(root, whole)
    for day, tree in _folders(root, experiments).items():
        _, _, name = day.rpartition("/")
        is_day = layout.DAY.match(name)
        if not is_day or not name.startswith(f"{year}-"):
            continue
        for path, run in _folders(root, {day: tree}).items():
            _, _, run_id = path.rpartition("/")
            if run_id not in history:
                places[path] = run
    return places


def _folders(root: Path, parents: dict[str, str]) -> dict[str, str]:
    """Return the folders in some folders, with the names of their trees."""
    children = {}
    for listing in entries(root, parents):
        for entry in listing:
            if entry.is_folder:
                children[entry.path] = entry.name
    return children
