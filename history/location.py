"""The place of a history in its repository, and the folders that belong to it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from history.layout import REGISTRY

if TYPE_CHECKING:
    from history.faults import Fault

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Project:
    """The repository around a history.

    Attributes:
        models: the folder of the models in service, with one folder per registered
            model; None where the repository serves none.
        companions: other folders that change together with the history, relative to
            the folder above it.
        source_root: paths of files below this folder are kept relative to it when runs
            are imported; the nearest folder above the history with a `.git` if None.
        promote_advice: how a person goes back to an older model.
        merge_advice: what a person should do instead of merging two histories.
        find_faults: returns the faults of the project's other files, and calls its
            argument with a sentence about what cannot be checked.
    """

    models: Path | None = None
    companions: tuple[str, ...] = ()
    source_root: Path | None = None
    promote_advice: str = "to go back to an older model, promote it again"
    merge_advice: str = "merge no unrelated history again"
    find_faults: "Callable[[Notice], list[Fault]] | None" = None


@dataclass(frozen=True)
class Location:
    """The folder of a history, usually `mlruns`, in its project."""

    path: Path
    project: Project = Project()

    @property
    def root(self) -> Path:
        """The folder above the history; faults name files relative to it."""
        return self.path.parent

    @property
    def name(self) -> str:
        """The name of the history's folder."""
        return self.path.name

    @property
    def registry(self) -> str:
        """The folder of the promotions, relative to the root, as Git names it."""
        return f"{self.name}/{REGISTRY}"

    @property
    def owned(self) -> list[str]:
        """The history, the models in service and the companions, relative to the root."""
        folders = [self.name]
        if self.project.models:
            folders.append(self.relative(self.project.models))
        return folders + list(self.project.companions)

    @property
    def source_root(self) -> Path | None:
        """The folder that paths are kept relative to when runs are imported."""
        if self.project.source_root:
            return self.project.source_root
        for folder in self.path.parents:
            if (folder / ".git").exists():
                return folder
        return None

    def relative(self, path: Path) -> str:
        """Return a path relative to the root, with slashes; else the path as it is."""
        if path.is_relative_to(self.root):
            return path.relative_to(self.root).as_posix()
        return path.as_posix()
