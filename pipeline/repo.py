"""The folders of the repository."""

import os
from pathlib import Path

from core.errors import UsageError


class Repo:
    """The folders of one checkout; every path that the program uses starts here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.params = root / "params.yaml"
        self.mlruns = root / "mlruns"  # the history: run folders, and the registry
        self.models = root / "deployment" / "models"  # what is in service
        self.data = root / "data"  # snapshots of the data sets
        self.results = root / "results"  # tables and charts of the history
        # Generated files; never committed. MLOPS_BUILD_DIR keeps them out of the
        # checkout.
        build = os.environ.get("MLOPS_BUILD_DIR")
        self.build = Path(build) if build else root / "build"

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
