"""How the files that are written once came in, and what the commits since then did to
them.

Runs have ids of their own, so every commit that ever changed a `run.json` counts, on
whatever branch. Versions of a model are numbered 1, 2, 3 … in each copy of the project:
for them this branch's own line of commits counts (`--first-parent`), and what a merge
brought from a copy with another line does not belong here.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.git import GitError, git
from history import gitlog
from history.faults import Fault
from history.gitlog import REGISTRY, RUN_FILES, Entry, Event

OWNED = ("mlruns", "deployment/models", "data", "results")


class Lineage:
    """What Git knows of the files that are written once.

    Attributes:
        originals: the id of the content that a file was written with, by path; of a
            `run.json` only where a commit changed it.
    """

    def __init__(self, root: Path, committed: dict[str, Entry]) -> None:
        self._root, self._committed = root, committed
        self._changes: dict[str, list[Event]] = {}  # newest first
        self._deleted: dict[str, Event] = {}
        self._added: dict[tuple[str, str], str] = {}  # the commit, by path and content
        self.originals: dict[str, str] = {}
        self._read_runs()
        self._read_registry()
        self._read_branches()

    def _read_runs(self) -> None:
        """Note the original of every `run.json` that a commit changed; it may have
        moved since.
        """
        places = {
            _run_of(path): path
            for path in self._committed
            if path.endswith("/run.json")
        }
        options = ("--diff-merges=separate", "--diff-filter=MTD", "--", RUN_FILES)
        for event in gitlog.events(self._root, *options):
            if path := places.get(_run_of(event.path)):
                self._changes.setdefault(path, []).append(event)
                self.originals[path] = event.old  # that of the oldest event stays

    def _read_registry(self) -> None:
        """Note the original of every promotion, since the registry of its model began."""
        began: set[str] = set()
        options = ("--first-parent", "--diff-merges=first-parent", "--", REGISTRY)
        for event in gitlog.events(self._root, *options):
            folder = str(PurePosixPath(event.path).parent)
            if folder in began:
                continue
            if event.status == "D" and not gitlog.tree(
                self._root, event.commit, folder
            ):
                began.add(
                    folder
                )  # all of its versions went at once: a new registry begins
                continue
            self._changes.setdefault(event.path, []).append(event)
            self.originals[event.path] = event.new if event.status == "A" else event.old
            if event.status == "D" and event.path not in self._committed:
                self._deleted.setdefault(event.path, event)

    def _read_branches(self) -> None:
        """Note promotions that were changed on a branch, or in the merge that brought
        them.
        """
        options = (
            "--full-history",
            "--diff-merges=off",
            "--diff-filter=AMT",
            "--",
            REGISTRY,
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
        for path, known in added.items():
            entry = self._committed.get(path)
            if entry is None:
                continue
            if entry.blob not in known:
                self.originals[path] = known[-1]
                self._changes[path] = changed.get(path) or self._changes.get(path, [])
            elif (
                self.originals.get(path) not in known
            ):  # changed there, and mended since
                self.originals[path] = entry.blob

    def why_changed(self, path: str) -> str:
        """Say which commit changed a file and how to get the original back."""
        events, known = self._changes.get(path, []), self._committed.get(path)
        if not events:
            return "is not as it was written"
        changed = next((e for e in events if known and e.new == known.blob), events[0])
        if path.startswith(f"{REGISTRY}/") and len(changed.parents) > 1:
            place = "is another than this branch's own"
            return f"{place}: commit {changed.commit[:12]} {self._undo(changed.commit)}"
        said = f"was changed in commit {changed.commit[:12]}"
        if source := self._source(path):
            return (
                f"{said}: `git restore --source={source} {path}` brings the original"
                " back"
            )
        return f"{said}: its original is the object {self.originals[path]} in Git"

    def deletions(self) -> Iterator[Fault]:
        """Yield the promotions that a commit deleted, but for those that were made
        elsewhere.
        """
        for path, event in self._deleted.items():
            if self._before(path, event.old) is None:
                commit = event.commit[:12]
                yield Fault(
                    path,
                    f"was deleted in commit {commit}; promotions are kept for ever:"
                    f" `git revert {commit}` brings it back, and `pipeline promote`"
                    " goes back to an older model",
                )

    def made_elsewhere(self) -> Iterator[Fault]:
        """Yield the promotions that were made in another copy, after versions unlike
        those here.
        """
        for path, entry in self._committed.items():
            if path.startswith(f"{REGISTRY}/") and (
                other := self._before(path, entry.blob)
            ):
                commit = self._added[path, entry.blob]
                events = (
                    event
                    for event in self._changes.get(path, [])
                    if event.status == "A"
                )
                brought = next((event.commit for event in events), commit)
                yield Fault(
                    path,
                    f"was made elsewhere (commit {commit[:12]}), after another version"
                    f" {other} than the one here: commit {brought[:12]}"
                    f" {self._undo(brought)}",
                )

    def _before(self, path: str, blob: str) -> str | None:
        """Return the first version that was another when a promotion was made; None if
        none was.
        """
        commit = self._added.get((path, blob))
        place = PurePosixPath(path)
        if commit is None or not place.stem.isdecimal():
            return None
        folder = str(place.parent)
        then = gitlog.tree(self._root, commit, folder)
        for version in range(1, int(place.stem)):
            earlier = f"{folder}/{version}.json"
            now = self._committed.get(earlier)
            original = self.originals.get(earlier) or (now.blob if now else None)
            if earlier in then and then[earlier].blob != original:
                return str(version)
        return None

    def _undo(self, commit: str) -> str:
        folders = " ".join(folder for folder in OWNED if (self._root / folder).exists())
        return (
            f"merged two histories. `git restore --source={commit[:12]}~1 --staged"
            f" --worktree {folders}` brings this one's own back (commit first what is"
            " new); commit that, and take later versions of the template with"
            " `pipeline update`"
        )

    def _source(self, path: str) -> str | None:
        """Return a commit that holds a file's original in the same place."""
        for event in reversed(self._changes[path]):
            for source in (
                event.commit[:12],
                f"{event.commit[:12]}~1",
                f"{event.commit[:12]}^2",
            ):
                try:
                    found = git(
                        self._root,
                        "rev-parse",
                        "--verify",
                        "--quiet",
                        f"{source}:./{path}",
                    )
                except GitError:
                    continue
                if found == self.originals[path]:
                    return source
        return None


def _run_of(path: str) -> str:
    """Return a run's folder name: where it lies may change, its id does not."""
    return PurePosixPath(path).parent.name
