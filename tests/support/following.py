"""An origin that releases, and a running API that follows it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from core.git import git
from pipeline.reconcile.reconciler import Reconciler
from pipeline.reconcile.settings import Settings
from scripts.ci.declare import Declaration
from scripts.ci.origin import Origin
from scripts.loopback import free_port
from tests.conftest import Clone, commit_all
from tests.paths import ROOT
from tests.support.publishing_team import Team
from tests.support.released_models import IMAGES
from tests.support.serving import Api, edit, manifest
from tests.support.waiting import PATIENCE_SECONDS


class Releases:
    """A team that publishes to an origin, and the job that releases.

    Attributes:
        images: the images' addresses with their digests, by short name.
    """

    def __init__(self, origin: Path, clone: Clone, tmp_path: Path) -> None:
        self.origin = origin
        self.images = IMAGES
        self.team = Team(clone, tmp_path)
        self._clone = clone
        self._checkouts = 0

    def checkout(self) -> Path:
        """Return a fresh clone of the origin."""
        self._checkouts += 1
        return self._clone(f"checkout-{self._checkouts}").root

    def declare(self, commit: str) -> str:
        """Declare the release of a commit; return the commit that declares it."""
        checkout = self.checkout()
        git(checkout, "checkout", "--quiet", "--detach", commit)
        origin = Origin(str(self.origin), {})
        declaration = Declaration(checkout, origin, "main", self.images)
        return declaration.land(checkout / "no-key")

    def publish(self, **noises: float) -> str:
        """Publish models and release them; return the declaring commit."""
        commit, _ = self.team.publish(**noises)
        return self.declare(commit)

    def promote(self) -> str:
        """Put the version before into service again, and release that."""
        commit, _ = self.team.promote("housing")
        return self.declare(commit)

    def release_unusable_model(self) -> str:
        """Release a model that does not give its golden answer."""
        checkout = self.checkout()
        folder = checkout / "deployment/models/housing"
        golden = manifest(folder)["golden"]
        golden["answer"] += 1
        edit(folder, golden=golden)
        commit = self.push(checkout, "feat: manually")
        return self.declare(commit)

    def push(self, checkout: Path, message: str) -> str:
        """Commit what is in a checkout, and push it."""
        commit = commit_all(checkout, message)
        git(checkout, "push", "--quiet", "origin", "HEAD:main")
        return commit


def served_version(api: Api) -> int:
    """Return the version of housing in service; 0 if there is none."""
    served = api.get("/models")
    return int(served["housing"]["version"]) if served else 0


def reconciler(
    releases: Releases, api: Api, wait_seconds: float = PATIENCE_SECONDS
) -> Reconciler:
    """Return a reconciler of this process for the API's folder.

    Args:
        wait_seconds: how long a release may take to become healthy. A good one takes
            as long as the API, which a busy machine keeps waiting.
    """
    settings = Settings(
        address=str(releases.origin),
        branch="main",
        models=api.models,
        api=str(api.client.base_url),
        wait_seconds=wait_seconds,
    )
    return settings.reconciler(api.folder / "reconcile")


class Follower:
    """A process of `pipeline reconcile --every 1s`."""

    def __init__(self, releases: Releases, api: Api) -> None:
        self.port = free_port()
        self.log = api.folder / "reconcile.txt"
        self._command = [
            sys.executable,
            "-m",
            "pipeline",
            "--repo",
            str(releases.team.repo.root),
            "reconcile",
            "--every",
            "1s",
            "--remote",
            str(releases.origin),
            "--models",
            str(api.models),
            "--api",
            str(api.client.base_url),
            "--metrics-port",
            str(self.port),
        ]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the process, and kill it afterwards."""
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=output, stderr=output
            )
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def metric(self, sample: str) -> float:
        """Return a sample by its name and labels, as it is exported; -1 without one."""
        try:
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        except httpx.TransportError:
            return -1
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return -1

    def passes(self, outcome: str) -> float:
        """Return how many passes ended so."""
        return self.metric(f'reconcile_passes_total{{outcome="{outcome}"}}')

    def is_in_sync(self) -> bool:
        """Return whether the process reports that what is declared is in service."""
        return self.metric("reconcile_in_sync") == 1

    def output(self) -> str:
        """Return what the process has printed."""
        return self.log.read_text("utf-8")
