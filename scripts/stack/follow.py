"""`--released --follow`: keep containers and images what the release declares.

The models are kept by the service `reconciler`, which also checks each new release.
When it has put one into service, its images follow here, where Docker can be asked.
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from core.file_lock import take
from core.file_names import RELEASE
from scripts.stack import compose, drift, healthy_release, released, replicas
from scripts.stack.container_metrics import ContainerMetrics
from scripts.stack.drift import Drift
from scripts.stack.reconciler import SERVICE
from scripts.stack.released import Release
from scripts.stack.settings import ROOT, Settings, StackError, UsageError

EVERY_SECONDS = 30
# In the container `reconciler`.
STATE = "/state/build/reconcile/state.json"
CLONE = "/state/build/reconcile/clone"


class Follower:
    """Keeps the containers of a release, and takes the next one.

    Attributes:
        metrics: what Prometheus learns of it.
    """

    def __init__(self, settings: Settings, release: Release) -> None:
        """Begin with a release whose containers run.

        Args:
            settings: the user's settings.
            release: the release.
        """
        self._settings = settings
        self._release = release
        self._failed: Release | None = None
        # How many containers each service had when nothing differed.
        self._replicas: dict[str, int] = {}
        self.metrics = ContainerMetrics()

    def check(self) -> str:
        """Compare once, and mend, or take the next release; return one sentence."""
        try:
            text = self._step()
        except StackError as error:
            self.metrics.write(in_sync=False)
            return str(error)
        self.metrics.write(in_sync=self._failed is None)
        return text

    def _step(self) -> str:
        """Take the release that the reconciler has put into service, or mend.

        Raises:
            StackError: an image is not available, or a container does not start.
        """
        served = in_service(self._settings)
        if served == self._release:
            self._failed = None
        elif served and served != self._failed:
            return self._take(served)
        name = self._release.commit[:12]
        different = self._mend()
        if different:
            return f"mended: {', '.join(different)} differed from release {name}."
        if self._failed:
            return self._failure(self._failed)
        return f"containers and images are those of release {name}."

    def _mend(self) -> list[str]:
        """Put back what differs from the release; return the images and services.

        Raises:
            StackError: an image is not available, or a container does not start.
        """
        names = self._release.provide_images()
        settings = self._release.applied_to(self._settings)
        compared = self._compare(settings, self._release)
        different = [*names, *compared.services]
        if different:
            self.metrics.count_drift()
        if not replicas.bring_up(settings, compared.services, compared.replicas):
            raise StackError(
                f"{', '.join(compared.services)} differed from release"
                f" {self._release.commit[:12]}, and did not become healthy after a new"
                " start: `--logs SERVICE` says why."
            )
        return different

    def _take(self, declared: Release) -> str:
        """Start the containers of another release; go back if they are not healthy.

        Raises:
            StackError: an image is not available, or the way back fails, too.
        """
        try:
            declared.provide_images()
        except StackError:
            self._mend()
            raise
        if self._start(declared):
            self._release = declared
            self._failed = None
            healthy_release.remember(declared)
            return f"release {declared.commit[:12]}: its containers are healthy."
        self._failed = declared
        if not self._start(self._release):
            raise StackError(
                f"neither the containers of release {declared.commit[:12]} became"
                f" healthy, nor then those of release {self._release.commit[:12]}:"
                " `--logs SERVICE` says why."
            )
        return self._failure(declared)

    def _start(self, release: Release) -> bool:
        """Start the containers of a release that differ from those that run.

        Returns whether they become healthy.
        """
        settings = release.applied_to(self._settings)
        compared = self._compare(settings, release)
        return replicas.bring_up(settings, compared.services, compared.replicas)

    def _compare(self, settings: Settings, release: Release) -> Drift:
        """Compare what runs with a release; remember how many containers ran."""
        compared = drift.compare(settings, release, self._replicas)
        if not compared.services:
            self._replicas = compared.replicas
        return compared

    def _failure(self, release: Release) -> str:
        return (
            f"release {release.commit[:12]}: its containers did not become healthy, so"
            f" those of release {self._release.commit[:12]} run again: release another"
            " commit."
        )


def in_service(settings: Settings) -> Release | None:
    """Return the release that the reconciler has put into service.

    There may be none, or a reconciler that does not answer now: then it is None.

    Raises:
        StackError: the file of that release is damaged.
    """
    state = _in_reconciler(settings, "cat", STATE)
    served = json.loads(state or "{}").get("served")
    if not served:
        return None
    commit = served["declared"]
    text = _in_reconciler(settings, "git", "-C", CLONE, "show", f"{commit}:{RELEASE}")
    return released.parse(text) if text else None


def _in_reconciler(settings: Settings, *command: str) -> str:
    """Return what a command in the reconciler's container prints; nothing if it fails."""
    done = compose.run(settings, "exec", "-T", SERVICE, *command, quiet=True)
    return "" if done.returncode else done.stdout


def follow(settings: Settings) -> None:
    """Start the stack from a release, and keep it until Ctrl-C or SIGTERM.

    Raises:
        StackError: it does not start, or somebody keeps it already.
    """
    with _lock():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        follower = _start(settings)
        print(
            f"Checking every {EVERY_SECONDS} s; Ctrl-C ends that, not the containers."
        )
        try:
            _check_for_ever(follower)
        finally:
            follower.metrics.remove()


def _start(settings: Settings) -> Follower:
    """Start the stack from the first release whose containers become healthy.

    Raises:
        UsageError: a flag has a value that does not exist.
        StackError: the containers of no release become healthy.
    """
    failure: StackError | None = None
    for release in _choices(settings):
        if failure:
            print(f"{failure} Release {release.commit[:12]} is tried now.", flush=True)
        try:
            release.provide_images()
            compose.start(release.applied_to(settings), build=False)
        except UsageError:
            raise
        except StackError as error:
            failure = error
        else:
            healthy_release.remember(release)
            return Follower(settings, release)
    assert failure
    raise failure


def _choices(settings: Settings) -> Iterator[Release]:
    """Yield the releases to start, each for the case that those before it fail.

    Raises:
        StackError: the release in this checkout is needed, and cannot be used.
    """
    served = in_service(settings)
    if served:
        yield served
    healthy = healthy_release.recall()
    if healthy and healthy != served:
        yield healthy
    if served is None:
        declared = released.read(settings)
        if declared != healthy:
            yield declared


def _check_for_ever(follower: Follower) -> None:
    """Check again and again; print a result that is not that of the check before."""
    printed = ""
    while True:
        text = follower.check()
        if text != printed:
            print(text, flush=True)
        printed = text
        time.sleep(EVERY_SECONDS)


@contextmanager
def _lock() -> Iterator[None]:
    path = ROOT / "build" / "follow.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as stream:
        if not take(stream):
            raise StackError("--follow runs already in this checkout: stop it first.")
        yield
