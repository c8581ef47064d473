"""Where things lie in the repository."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError


@dataclass(frozen=True)
class Repo:
    """The folders of one checkout; every path that the program uses starts here."""

    root: Path

    @classmethod
    def open(cls, root: Path) -> "Repo":
        """Return the repository at `root`.

        Raises:
            UsageError: `root` is not a checkout of this project.
        """
        if not (root / "params.yaml").is_file():
            raise UsageError(
                f"{root} is not the repository's root (it has no params.yaml): "
                "run the command there, or name it with --repo."
            )
        return cls(root.resolve())

    @property
    def mlruns(self) -> Path:
        """The history: one folder a run, and the registry."""
        return self.root / "mlruns"

    @property
    def models(self) -> Path:
        """What is in service: one folder a task."""
        return self.root / "deployment" / "models"

    @property
    def data(self) -> Path:
        """Committed snapshots of the data sets."""
        return self.root / "data"

    @property
    def results(self) -> Path:
        """Tables made from the history."""
        return self.root / "results"

    @property
    def params(self) -> Path:
        """What people tune."""
        return self.root / "params.yaml"

    @property
    def build(self) -> Path:
        """What can be made again; never committed."""
        return self.root / "build"
