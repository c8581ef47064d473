"""The original content of files that are written once, and the commits that changed it.

Runs have unique IDs, so every commit that ever changed a `run.json` counts, on whatever
branch. Versions of a model are numbered 1, 2, 3 … in each copy of the project: for them
this branch's own line of commits counts (`--first-parent`), and what a merge brought
from a copy with another line does not belong here.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from core.git import GitError, git
from history import gitlog, layout
from history.faults import Fault
from history.gitlog import Entry, Event
from history.lineage_advice import Advice
from history.location import Location


class Lineage:
    """The past of the files that are written once, as Git knows it.

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
        self._changes: dict[str, list[Event]] = {}  # newest first
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
                places[_run_of(path)] = path
        options = ("--diff-merges=separate", "--diff-filter=MTD", "--", self._run_files)
        for event in gitlog.events(self._root, *options):
            path = places.get(_run_of(event.path), "")
            if path:
                self._changes.setdefault(path, []).append(event)
                self.originals[path] = event.old  # that of the oldest event stays

    def _read_registry(self) -> None:
        """Note the original of every promotion since the registry of its model began."""
        complete: set[str] = set()
        options = (
            "--first-parent",
            "--diff-merges=first-parent",
            "--",
            self._registry,
        )
        for event in gitlog.events(self._root, *options):
            folder = _folder_of(event.path)
            if folder in complete:
                continue
            removed = event.status == "D"
            if removed and not gitlog.tree(self._root, event.commit, folder):
                # All versions went at once: a new registry began afterwards.
                complete.add(folder)
                continue
            self._changes.setdefault(event.path, []).append(event)
            added = event.status == "A"
            self.originals[event.path] = event.new if added else event.old
            if removed and event.path not in self._committed:
                self._deleted.setdefault(event.path, event)

    def _read_branches(self) -> None:
        """Note promotions that a branch changed, or the merge that brought them."""
        options = (
            "--full-history",
            "--diff-merges=off",
            "--diff-filter=AMT",
            "--",
            self._registry,
        )
        changed: dict[str, list[Event]] = {}
        for event in gitlog.events(self._root, *options):
            if event.status == "A":
                self._added[event.path, event.new] = event.commit
            else:
                changed.setdefault(event.path, []).append(event)
        added: dict[str, list[str]] = {}
        for path, blob in self._added:
            added.setdefault(path, []).append(blob)
        for path, blobs in added.items():
            if path in self._committed:
                self._compare_with_branches(path, blobs, changed.get(path))

    def _compare_with_branches(
        self,
        path: str,
        blobs: list[str],
        changes: list[Event] | None,
    ) -> None:
        """Note the original of a promotion; `blobs` are those that a commit added."""
        committed = self._committed[path].blob
        if committed not in blobs:
            self.originals[path] = blobs[-1]
            self._changes[path] = changes or self._changes.get(path, [])
        elif self.originals.get(path) not in blobs:
            self.originals[path] = committed  # it was changed there, and mended since

    def why_changed(self, path: str) -> str:
        """Return which commit changed a file and how to restore the original."""
        events = self._changes.get(path, [])
        if not events:
            return "is not as it was written"
        event = self._event_of(path, events)
        if path.startswith(f"{self._registry}/") and len(event.parents) > 1:
            return self._advice.another(event.commit)
        source = self._source(path, events)
        return self._advice.changed(path, event.commit, source, self.originals[path])

    def _event_of(self, path: str, events: list[Event]) -> Event:
        """Return the event that gave a file its committed content, else the newest."""
        entry = self._committed.get(path)
        for event in events:
            if entry and event.new == entry.blob:
                return event
        return events[0]

    def deletions(self) -> Iterator[Fault]:
        """Yield the promotions that a commit deleted, except those made elsewhere."""
        for path, event in self._deleted.items():
            if self._diverged_at(path, event.old) is None:
                yield Fault(path, self._advice.deleted(event.commit))

    def made_elsewhere(self) -> Iterator[Fault]:
        """Yield the promotions made in another copy, after versions unlike those here."""
        for path, entry in self._committed.items():
            if not path.startswith(f"{self._registry}/"):
                continue
            version = self._diverged_at(path, entry.blob)
            if version:
                made = self._added[path, entry.blob]
                brought = self._brought_by(path, made)
                yield Fault(path, self._advice.made_elsewhere(made, version, brought))

    def _brought_by(self, path: str, default: str) -> str:
        """Return the commit of this branch that added a file."""
        for event in self._changes.get(path, []):
            if event.status == "A":
                return event.commit
        return default

    def _diverged_at(self, path: str, blob: str) -> str | None:
        """Return the first version that was another when a promotion was made."""
        commit = self._added.get((path, blob))
        place = PurePosixPath(path)
        if commit is None or not place.stem.isdecimal():
            return None
        folder = str(place.parent)
        then = gitlog.tree(self._root, commit, folder)
        for version in range(1, int(place.stem)):
            earlier = f"{folder}/{version}.json"
            if earlier in then and then[earlier].blob != self._original(earlier):
                return str(version)
        return None

    def _original(self, path: str) -> str | None:
        if path in self.originals:
            return self.originals[path]
        entry = self._committed.get(path)
        return entry.blob if entry else None

    def _source(self, path: str, events: list[Event]) -> str | None:
        """Return a commit that holds a file's original in the same place."""
        original = self.originals[path]
        for event in reversed(events):
            commit = event.commit[:12]
            for source in (commit, f"{commit}~1", f"{commit}^2"):
                if self._holds(source, path, original):
                    return source
        return None

    def _holds(self, source: str, path: str, blob: str) -> bool:
        """Return whether a commit holds a file with this content."""
        options = ("rev-parse", "--verify", "--quiet")
        try:
            return git(self._root, *options, f"{source}:./{path}") == blob
        except GitError:
            return False


def _run_of(path: str) -> str:
    """Return a run's folder name: the folder may have moved, its name does not change."""
    return PurePosixPath(path).parent.name


def _folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)
