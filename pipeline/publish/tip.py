"""The newest state of a branch, as a change sees it and writes to it."""

from collections.abc import Iterator
from pathlib import Path

from core.errors import PipelineError
from core.file_names import OWNED
from core.git import git
from core.git_objects import Tree, write_blobs
from core.git_trees import changed_tree
from history import layout
from history.committed import CommittedHistory
from history.location import Location
from pipeline.publish.base import Base
from pipeline.publish.remote import Remote
from pipeline.repo import Repo
from pipeline.verification import project


class Tip(Repo):
    """The folders of the repository at the tip of a branch, without a checkout.

    The folder holds what is in service and the results; `history` adds what is needed
    of the runs. What a change writes into the folders of the pipeline replaces the
    files of the tip. Of those in service and the results, it may delete some.
    """

    def __init__(self, folder: Path, remote: Remote, base: Base) -> None:
        """Write the files of the tip that a change reads into an empty folder."""
        super().__init__(folder)
        self._remote = remote
        self._base = base
        self._tree = Tree(remote.root, base.tree)
        self._files: dict[str, str] = {}
        for owned in (self.models, self.results):
            self._files |= self._tree.files(owned.relative_to(folder).as_posix())
        self._tree.write_files(self._files, folder)

    def history(self) -> CommittedHistory:
        """Open the history of the tip, to which runs and promotions can be added."""
        return CommittedHistory(Location(self.mlruns, project(self)), self._tree)

    def require(self, commit: str, what: str) -> None:
        """Check that the branch contains the commit that something was trained from.

        Raises:
            PipelineError: it does not: the commit was never pushed, or the history of
                the branch was rewritten.
        """
        if not self._base.contains(self._remote, commit):
            raise PipelineError(
                f"{what} was trained from commit {commit[:12]}, which the branch does"
                " not contain: push that commit first, or, if the history of the"
                " branch was rewritten, check out its newest commit and train again."
            )

    def added_by(self, path: Path) -> str:
        """Return the commit that added a file or folder of the tip."""
        name = path.relative_to(self.root).as_posix()
        return self._base.added_by(self._remote, name)

    def describe(self, commit: str, form: str) -> str:
        """Return a commit in a format of `git log`."""
        return git(self._remote.root, "log", "-1", f"--format={form}", commit)

    def write_tree(self) -> str:
        """Store what the folder holds in Git; return the tip's tree with it."""
        paths = list(self._written())
        names = [path.relative_to(self.root).as_posix() for path in paths]
        blobs = write_blobs(self._remote.root, paths)
        files = dict(zip(names, blobs, strict=True))
        deleted = self._files.keys() - files.keys()
        return changed_tree(self._remote.root, self._base.tree, files, deleted)

    def _written(self) -> Iterator[Path]:
        """Yield the files in the pipeline's folders, without unfinished work."""
        local = self.mlruns / layout.LOCAL
        for name in OWNED:
            for path in sorted((self.root / name).rglob("*")):
                if path.is_file() and local not in path.parents:
                    yield path
