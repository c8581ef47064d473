"""The original content of files that are written once, and the commits that changed it.

Runs have unique IDs, so every commit that ever changed a `run.json` counts, on whatever
branch. Versions of a model are numbered 1, 2, 3 … in each copy of the project: for them
the commits of this branch itself count (`--first-parent`), and versions that a merge
brought from another copy do not belong here.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from core.git import GitError, git
from history import gitlog, layout
from history.faults import Fault
from history.gitlog import Entry, Event
from history.lineage_advice import SHORT, Advice
from history.location import Location

OF_RUNS = ("--diff-merges=separate", "--diff-filter=MTD")
OF_THIS_BRANCH = ("--first-parent", "--diff-merges=first-parent")
OF_ALL_BRANCHES = ("--full-history", "--diff-merges=off", "--diff-filter=AMT")


Events = dict[str, list[Event]]  # the changes of files by path, newest first


class Lineage:
    """The history of the files that are written once, as recorded in Git.

    Attributes:
        originals: the ID of the content that a file was written with, by path; of a
            `run.json` only where a commit changed it.
    """

    def __init__(self, location: Location, committed: dict[str, Entry]) -> None:
        self.originals: dict[str, str] = {}
        self._root = location.root
        self._registry = location.registry
        self._run_files = f":(glob){location.name}/*/*/*/{layout.RUN_FILE}"
        self._committed = committed
        self._advice = Advice(location)
        self._changes: Events = {}
        self._deleted: dict[str, Event] = {}
        self._added: dict[tuple[str, str], str] = {}  # the commit, by path and content
        self._read_runs()
        self._read_registry()
        self._read_branches()

    def _read_runs(self) -> None:
        """Note the original of every `run.json` that a commit changed or moved."""
        places = {}
        for path in self._committed:
            if path.endswith(f"/{layout.RUN_FILE}"):
                run_id = _run_of(path)
                places[run_id] = path
        for event in self._events(OF_RUNS, self._run_files):
            run_id = _run_of(event.path)
            place = places.get(run_id)
            if place is None:
                continue
            self._add_change(place, event)
            self.originals[place] = event.old  # that of the oldest event stays

    def _events(self, options: tuple[str, ...], paths: str) -> Iterator[Event]:
        return gitlog.events(self._root, *options, "--", paths)

    def _add_change(self, path: str, event: Event) -> None:
        events = self._changes.setdefault(path, [])
        events.append(event)

    def _read_registry(self) -> None:
        """Note the original of every promotion since the registry of its model began."""
        complete: set[str] = set()
        for event in self._events(OF_THIS_BRANCH, self._registry):
            folder = _folder_of(event.path)
            if folder in complete:
                continue
            if event.status == "D":
                remaining = gitlog.tree(self._root, event.commit, folder)
                if not remaining:
                    # A new registry began after all versions were deleted at once.
                    complete.add(folder)
                    continue
            self._read_promotion(event)

    def _read_promotion(self, event: Event) -> None:
        path = event.path
        self._add_change(path, event)
        if event.status == "A":
            self.originals[path] = event.new
        else:
            self.originals[path] = event.old
        if event.status == "D" and path not in self._committed:
            self._deleted.setdefault(path, event)

    def _read_branches(self) -> None:
        """Note promotions that a branch changed, or the merge that brought them."""
        added: dict[str, list[str]] = defaultdict(list)
        changed: Events = defaultdict(list)
        for event in self._events(OF_ALL_BRANCHES, self._registry):
            path = event.path
            if event.status == "A":
                if (path, event.new) not in self._added:
                    added[path].append(event.new)
                self._added[path, event.new] = event.commit
            else:
                changed[path].append(event)
        for path, blobs in added.items():
            if path in self._committed:
                self._compare_with_branches(path, blobs, changed[path])

    def _compare_with_branches(
        self,
        path: str,
        blobs: list[str],
        changes: list[Event],
    ) -> None:
        """Note the original of a promotion; `blobs` are those that a commit added."""
        committed = self._committed[path].blob
        if committed not in blobs:
            self.originals[path] = blobs[-1]
            if changes:
                self._changes[path] = changes
        elif self.originals.get(path) not in blobs:
            # It was changed on the branch, and restored since.
            self.originals[path] = committed

    def why_changed(self, path: str) -> str:
        """Return which commit changed a file and how to restore the original."""
        events = self._changes.get(path, [])
        if not events:
            return "is not as it was written"
        event = self._event_of(path, events)
        is_merge = len(event.parents) > 1
        if is_merge and self._is_promotion(path):
            return self._advice.another(event.commit)
        original = self.originals[path]
        source = self._source(path, events)
        return self._advice.changed(path, event.commit, source, original)

    def _is_promotion(self, path: str) -> bool:
        return path.startswith(f"{self._registry}/")

    def _event_of(self, path: str, events: list[Event]) -> Event:
        """Return the event that gave a file its committed content, else the newest."""
        entry = self._committed.get(path)
        for event in events:
            if entry and event.new == entry.blob:
                return event
        return events[0]

    def deletions(self) -> Iterator[Fault]:
        """Yield the promotions that a commit deleted, except those of other copies."""
        for path, event in self._deleted.items():
            if self._diverged_at(path, event.old) is None:
                reason = self._advice.deleted(event.commit)
                yield Fault(path, reason)

    def promoted_elsewhere(self) -> Iterator[Fault]:
        """Yield the promotions of other copies, after versions that differ from ours."""
        for path, entry in self._committed.items():
            if not self._is_promotion(path):
                continue
            version = self._diverged_at(path, entry.blob)
            if version is None:
                continue
            added_by = self._added[path, entry.blob]
            merged_by = self._brought_by(path, added_by)
            reason = self._advice.promoted_elsewhere(added_by, version, merged_by)
            yield Fault(path, reason)

    def _brought_by(self, path: str, default: str) -> str:
        """Return the commit of this branch that added a file."""
        for event in self._changes.get(path, []):
            if event.status == "A":
                return event.commit
        return default

    def _diverged_at(self, path: str, blob: str) -> str | None:
        """Return the first version that differed when a promotion was added, or None."""
        commit = self._added.get((path, blob))
        place = PurePosixPath(path)
        if commit is None or not place.stem.isdecimal():
            return None
        folder = str(place.parent)
        files = gitlog.tree(self._root, commit, folder)
        for version in range(1, int(place.stem)):
            earlier = f"{folder}/{version}.json"
            entry = files.get(earlier)
            if entry and entry.blob != self._original(earlier):
                return str(version)
        return None

    def _original(self, path: str) -> str | None:
        if path in self.originals:
            return self.originals[path]
        entry = self._committed.get(path)
        if entry is None:
            return None
        return entry.blob

    def _source(self, path: str, events: list[Event]) -> str | None:
        """Return a commit that holds a file's original in the same place."""
        original = self.originals[path]
        for event in reversed(events):
            commit = event.commit[:SHORT]
            sources = (commit, f"{commit}~1", f"{commit}^2")
            for source in sources:
                if self._holds(source, path, original):
                    return source
        return None

    def _holds(
        self,
        source: str,
        path: str,
        blob: str,
    ) -> bool:
        """Return whether a commit holds a file with this content."""
        name = f"{source}:./{path}"
        try:
            stored = git(self._root, "rev-parse", "--verify", "--quiet", name)
        except GitError:
            return False
        return stored == blob


def _run_of(path: str) -> str:
    """Return the name of a run's folder, which stays if the folder is moved."""
    return PurePosixPath(path).parent.name


def _folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)
