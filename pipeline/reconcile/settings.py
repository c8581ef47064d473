"""What can be set of a reconciler, and the reconciler that works with it."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.reconcile import access
from pipeline.reconcile.clone import Clone
from pipeline.reconcile.reconciler import Reconciler
from pipeline.reconcile.running_api import RunningApi
from pipeline.reconcile.served_files import ServedFolder


@dataclass(frozen=True)
class Settings:
    """The settings of a reconciler.

    Attributes:
        address: the address of the repository that is followed.
        branch: the branch to follow; None means the repository's default branch.
        models: the folder that the API serves.
        api: the address of the API.
        wait_seconds: how long a release may take to become healthy.
        signers: the file of those who may sign releases; None means that releases need
            not be signed.
    """

    address: str
    branch: str | None
    models: Path
    api: str
    wait_seconds: float
    signers: Path | None = None

    def reconciler(self, folder: Path) -> Reconciler:
        """Return a reconciler that keeps its clone and its state in a folder.

        Raises:
            UsageError: the folder of the models is not there, or the token in the
                environment cannot be sent to the address.
            PipelineError: the state is damaged.
        """
        served = ServedFolder(self.models)
        served.require()
        credentials = access.credentials(self.address)
        return Reconciler(
            clone=Clone(folder / "clone", self.address, self.branch, credentials),
            folder=served,
            api=RunningApi(self.api),
            state_path=folder / "state.json",
            wait_seconds=self.wait_seconds,
            signers=self.signers,
        )
