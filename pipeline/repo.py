"""Where things lie in the repository."""

import os
from pathlib import Path

from core.errors import UsageError

# The folders that the pipeline's own commits may touch.
OWNED = ("mlruns", "deployment/models", "data", "results")


class Repo:
    """The folders of one checkout; every path that the program uses starts here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.params = root / "params.yaml"
        self.mlruns = root / "mlruns"  # the history: run folders, and the registry
        self.models = root / "deployment" / "models"  # what is in service
        self.data = root / "data"  # snapshots of the data sets
        self.results = root / "results"  # tables made from the history
        # What can be made again; never committed. Elsewhere if the checkout must stay
        # as it is.
        self.build = Path(os.environ.get("MLOPS_BUILD_DIR") or root / "build")

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
