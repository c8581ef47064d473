"""Compares the files of the history with those in Git.

Files that are written once must be as they were first committed: an edited metric
leaves a well-formed `run.json`, and only Git has the original. Files that Git would
leave out of a clone, or write there with other bytes, are reported here too.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from core.git import GitError, git, is_shallow
from history import archived_tags, gitlog, layout
from history.advice import RESTORE
from history.faults import Fault
from history.lineage import Lineage
from history.location import Location, Notice

FILE_MODES = ("100644", "100755")
RUN_FILE_DEPTH = 4  # folders above a `run.json`: mlruns/<experiment>/<day>/<run_id>
SUBMODULE = "160000"

FILES_ONLY = "only the files themselves were checked, not whether they were changed."
SHALLOW = (
    "This clone is shallow: changes in commits that it does not hold cannot be seen;"
    " `git fetch --unshallow` brings them."
)


def faults(
    location: Location,
    notice: Notice | None,
    explain: bool,
) -> list[Fault]:
    """Return what Git shows to be wrong.

    Args:
        notice: called with a sentence about what cannot be checked.
        explain: also name what a merge brought from elsewhere, because there are
            faults already.

    Raises:
        PipelineError: Git is not installed.
    """
    report = notice or ignore
    if not location.root.is_dir():
        return []
    try:
        reason = _reason_to_skip(location.root)
        if reason:
            report(reason)
            return []
        if is_shallow(location.root):
            report(SHALLOW)
        archived = list(archived_tags.faults(location.root, report))
        return Witness(location).faults(explain) + archived
    except GitError as error:
        consequence = FILES_ONLY.rstrip(".")
        report(f"Git cannot be asked, so {consequence}: {error}.")
        return []


def ignore(sentence: str) -> None:
    """Do nothing, where the caller wants no notice."""


def _reason_to_skip(root: Path) -> str | None:
    """Return why Git does not hold this folder, or None if it does."""
    try:
        top = git(root, "rev-parse", "--show-toplevel")
    except GitError as error:
        if "not a git repository" in error.output:
            return f"This folder is not in a Git repository: {FILES_ONLY}"
        raise
    try:
        git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return f"There is no commit yet: {FILES_ONLY}"
    is_below_top = Path(top).resolve() != root
    if is_below_top and not git(root, "ls-tree", "--name-only", "HEAD"):
        return f"The Git repository around this folder does not hold it: {FILES_ONLY}"
    return None


class Witness:
    """Compares the work tree, the index and the last commit with the first versions."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._root = location.root
        self._faults: list[Fault] = []
        self._committed = gitlog.tree(self._root, "HEAD", location.name)
        self._staged, self._conflicts = gitlog.index(self._root, location.name)
        self._lineage = Lineage(location, self._committed)

    def faults(self, explain: bool) -> list[Fault]:
        """Return all faults; see `faults` above."""
        present = self._work_tree()
        conflict = "has a merge conflict; `git merge --abort` undoes the merge"
        for path in self._conflicts:
            self._add(path, conflict)
        self._check_originals(present)
        self._check_bytes(present)
        self._check_attributes(present)
        self._check_ignored()
        if explain or self._faults:
            self._faults += self._lineage.promoted_elsewhere()
        return self._faults

    def _add(self, path: str, reason: str) -> None:
        self._faults.append(Fault(path, reason))

    def _work_tree(self) -> dict[str, str]:
        """Return the ID that Git would give to the content of each file, by path."""
        algorithm = git(self._root, "rev-parse", "--show-object-format")
        mlruns = self._location.path
        blobs: dict[str, str] = {}
        for name in layout.folders(mlruns):
            if name == layout.LOCAL:
                continue
            for path in (mlruns / name).rglob("*"):
                if path.is_file() and not path.is_symlink():
                    relative = self._location.relative(path)
                    blobs[relative] = _blob_id(path, algorithm)
        return blobs

    def _check_originals(self, present: Mapping[str, str]) -> None:
        """Check that files written once are unchanged, here and in the index."""
        # After a registry was deleted as a whole, a new one may begin.
        registered = set()
        for path in present:
            if path.startswith(f"{self._location.registry}/"):
                registered.add(_folder_of(path))
        paths = set(self._lineage.originals)
        for path in self._committed:
            if self._is_written_once(path):
                paths.add(path)
        for path in sorted(paths):
            reason = self._change_of(path, present.get(path), registered)
            if reason:
                self._add(path, reason)
        self._faults += self._lineage.deletions()

    def _change_of(
        self,
        path: str,
        present: str | None,
        registered: set[str],
    ) -> str | None:
        """Return what is wrong with a file that is written once, or None."""
        entry = self._committed.get(path)
        committed = entry.blob if entry else None
        original = self._lineage.originals.get(path) or committed
        if present and original and present != original:
            if committed == original:
                return f"was changed since it was committed: {_get_back(path)}"
            return self._lineage.why_changed(path)
        staged = self._staged.get(path)
        if staged and original and staged.blob not in (original, committed):
            return f"is staged with a change: {_get_back(path)}"
        is_deleted = committed and not present
        if is_deleted and _folder_of(path) in registered:
            return f"was deleted; promotions are kept for ever: {_get_back(path)}"
        return None

    def _check_bytes(self, present: Mapping[str, str]) -> None:
        """Check that Git holds each file as a file, with the bytes that it has here."""
        for path, staged in self._staged.items():
            if staged.mode not in FILE_MODES:
                link = _link(staged.mode)
                self._add(path, f"is not a file in Git but a {link}")
                continue
            if self._is_written_once(path) and path in self._committed:
                continue  # see `_check_originals`
            blob = present.get(path, staged.blob)
            if blob != staged.blob and _in_run(path):
                self._add(
                    path,
                    "has other bytes in Git than here, and so in every clone: a filter"
                    f" or attribute changes it (`git check-attr --all {path}`), or it"
                    " was edited",
                )

    def _check_attributes(self, present: Mapping[str, str]) -> None:
        files = sorted(path for path in present if _in_run(path))
        changing = gitlog.changing_attributes(self._root, files)
        for path, attribute in changing.items():
            self._add(
                path,
                f"would be changed by Git ({attribute}): clones may get other bytes;"
                f" take that out of the attributes for {self._location.name}/",
            )

    def _check_ignored(self) -> None:
        name = self._location.name
        local = f"{name}/{layout.LOCAL}/"
        for path in gitlog.ignored(self._root, name):
            if not path.startswith(local):
                self._add(path, f"is ignored by Git: `git add --force {path}` keeps it")

    def _is_written_once(self, path: str) -> bool:
        if path.startswith(f"{self._location.registry}/"):
            return True
        is_of_run = path.count("/") == RUN_FILE_DEPTH
        return is_of_run and path.endswith(f"/{layout.RUN_FILE}")


def _folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _in_run(path: str) -> bool:
    """Return whether a file lies in a run's folder or in the registry."""
    return path.count("/") > 2


def _link(mode: str) -> str:
    if mode == SUBMODULE:
        return (
            "link to another repository, of which a clone gets nothing: remove the"
            " folder's .git"
        )
    return "symbolic link: remove it, and add the file"


def _get_back(path: str) -> str:
    return f"`{RESTORE} {path}` brings it back"


def _blob_id(path: Path, algorithm: str) -> str:
    content = path.read_bytes()
    header = f"blob {len(content)}\0"
    digest = hashlib.new(algorithm, usedforsecurity=False)
    digest.update(header.encode())
    digest.update(content)
    return digest.hexdigest()
