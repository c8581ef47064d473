"""Git as the witness of the history: what is written once must be as it was when it
came in.

A hand-edited metric leaves a `run.json` that is well-formed; only Git knows that it was
another. What Git would leave out of a clone, or give it with other bytes, is found here
too.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from core.git import GitError, git
from history import gitlog, layout
from history.faults import Fault
from history.gitlog import MLRUNS, REGISTRY
from history.lineage import Lineage
from pipeline.repo import Repo

FILE_MODES = ("100644", "100755")
Notice = Callable[[str], None]


def faults(repo: Repo, notice: Notice, explain: bool) -> list[Fault]:
    """Return what Git shows to be wrong.

    Args:
        notice: called with a sentence about what cannot be seen.
        explain: also name what a merge brought from elsewhere, for there are faults
            already.

    Raises:
        PipelineError: Git is not installed.
    """
    if not repo.root.is_dir():
        return []
    try:
        if reason := _unseen(repo):
            notice(reason)
            return []
        if git(repo.root, "rev-parse", "--is-shallow-repository") == "true":
            notice(
                "This clone is shallow: changes in commits that it does not hold cannot"
                " be seen; `git fetch --unshallow` brings them."
            )
        return _Witness(repo).faults(explain)
    except GitError as error:
        notice(
            f"Git cannot be asked, so only the files themselves were checked: {error}."
        )
        return []


def advice(repo: Repo, found: list[Fault]) -> str:
    """Return how faults can be mended, which depends on whether they are in a commit."""
    if any("`git " in fault.reason for fault in found):
        return "the command that is named with one mends it, and often others with it"
    folders = ("mlruns", repo.models.relative_to(repo.root).as_posix())
    try:
        changed = git(
            repo.root, "status", "--porcelain", "--untracked-files=no", "--", *folders
        )
    except GitError:
        return "take the files from a clone that is whole"
    if changed:
        return (
            "`git restore --source=HEAD --staged --worktree FILE` brings a file back as"
            " it is in the last commit"
        )
    return (
        "they are in the last commit, too: `git log -- FILE` names the commits that"
        " touched a file, `git restore --source=COMMIT~1 FILE` brings back what was"
        " before one"
    )


def _unseen(repo: Repo) -> str | None:
    """Return why Git knows nothing of this folder, or None if it does."""
    said = (
        "only the files themselves were checked, not whether they are as they once were"
        " written."
    )
    try:
        top = Path(git(repo.root, "rev-parse", "--show-toplevel")).resolve()
    except GitError as error:
        if "not a git repository" in error.output:
            return f"This folder is no Git repository: {said}"
        raise
    try:
        git(repo.root, "rev-parse", "--verify", "--quiet", "HEAD")
    except GitError:
        return f"There is no commit yet: {said}"
    if top != repo.root and not git(repo.root, "ls-tree", "--name-only", "HEAD"):
        return f"The Git repository around this folder does not hold it: {said}"
    return None


class _Witness:
    def __init__(self, repo: Repo) -> None:
        self.root = repo.root
        self.found: list[Fault] = []
        self.committed = gitlog.tree(self.root, "HEAD", MLRUNS)
        self.staged, self.conflicts = gitlog.index(self.root, MLRUNS)
        self.lineage = Lineage(self.root, self.committed)

    def faults(self, explain: bool) -> list[Fault]:
        """Return all faults; see `faults` above."""
        here = self._here()
        for path in self.conflicts:
            self._fault(
                path, "has a merge conflict; `git merge --abort` undoes the merge"
            )
        self._check_originals(here)
        self._check_bytes(here)
        self._check_attributes(here)
        for path in gitlog.ignored(self.root, MLRUNS):
            if not path.startswith(f"{MLRUNS}/{layout.LOCAL}/"):
                self._fault(
                    path, f"is ignored by Git: `git add --force {path}` keeps it"
                )
        if explain or self.found:
            self.found += self.lineage.made_elsewhere()
        return self.found

    def _fault(self, path: str, reason: str) -> None:
        self.found.append(Fault(path, reason))

    def _here(self) -> dict[str, str]:
        """Return the id that Git would give each file in the work tree as it lies
        there.
        """
        algorithm = git(self.root, "rev-parse", "--show-object-format")
        mlruns = self.root / MLRUNS
        found: dict[str, str] = {}
        for name in layout.folders(mlruns):
            if name != layout.LOCAL:
                for path in (mlruns / name).rglob("*"):
                    if path.is_file() and not path.is_symlink():
                        place = path.relative_to(self.root).as_posix()
                        found[place] = _blob_id(path, algorithm)
        return found

    def _check_originals(self, here: dict[str, str]) -> None:
        """Check that what is written once is as it was written: here, and in the index."""
        originals = self.lineage.originals
        # A registry that went as a whole is begun anew.
        registered = {
            str(PurePosixPath(p).parent) for p in here if p.startswith(f"{REGISTRY}/")
        }
        once = {path for path in self.committed if _is_written_once(path)}
        for path in sorted(once | originals.keys()):
            known = self.committed.get(path)
            original = originals.get(path) or (known.blob if known else None)
            now, staged = here.get(path), self.staged.get(path)
            if now and original and now != original:
                if known and known.blob == original:
                    self._fault(
                        path, f"was changed since it was committed: {_get_back(path)}"
                    )
                else:
                    self._fault(path, self.lineage.why_changed(path))
            elif (
                staged
                and original
                and staged.blob not in (original, known and known.blob)
            ):
                self._fault(path, f"is staged with a change: {_get_back(path)}")
            elif known and not now and str(PurePosixPath(path).parent) in registered:
                self._fault(
                    path,
                    f"was deleted; promotions are kept for ever: {_get_back(path)}",
                )
        self.found += self.lineage.deletions()

    def _check_bytes(self, here: dict[str, str]) -> None:
        """Check that Git holds each file as a file, with the bytes that it has here."""
        for path, known in self.staged.items():
            if known.mode not in FILE_MODES:
                self._fault(path, f"is no file in Git but a {_link(known.mode)}")
            elif _is_written_once(path) and path in self.committed:
                continue  # looked at already
            elif here.get(path, known.blob) != known.blob and path.count("/") > 2:
                self._fault(
                    path,
                    "has other bytes in Git than here, and so in every clone: a filter"
                    f" or attribute changes it (`git check-attr --all {path}`), or it"
                    " was edited",
                )

    def _check_attributes(self, here: dict[str, str]) -> None:
        files = sorted(path for path in here if path.count("/") > 2)
        for path, attribute in gitlog.changing_attributes(self.root, files).items():
            self._fault(
                path,
                f"would be changed by Git ({attribute}): clones may get other bytes; "
                "take that out of the attributes for mlruns/",
            )


def _is_written_once(path: str) -> bool:
    if path.startswith(f"{REGISTRY}/"):
        return True
    return path.count("/") == 4 and path.endswith(f"/{layout.RUN_FILE}")


def _link(mode: str) -> str:
    if mode == "160000":
        return (
            "link to another repository, of which a clone gets nothing: remove the"
            " folder's .git"
        )
    return "symbolic link: remove it, and add the file"


def _get_back(path: str) -> str:
    return f"`git restore --source=HEAD --staged --worktree {path}` brings it back"


def _blob_id(path: Path, algorithm: str) -> str:
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.new(algorithm, header + content, usedforsecurity=False).hexdigest()
