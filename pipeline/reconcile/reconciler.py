"""One pass: read what the branch declares, apply it, watch it, go back if it fails."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core.errors import PipelineError
from core.git import GitError
from core.manifest import Manifest
from pipeline.reconcile import declared
from pipeline.reconcile.clone import Clone, OriginAway
from pipeline.reconcile.declared import Declared
from pipeline.reconcile.running_api import RunningApi
from pipeline.reconcile.served_files import (
    Files,
    ServedFolder,
    changed_tasks,
    manifests,
)
from pipeline.reconcile.state import FailedRelease, ServedRelease, State


class Outcome(StrEnum):
    """How a pass ended.

    `IN_SYNC` and `APPLIED` mean that what is declared is served; `NOT_SERVED` that its
    files are in place, but the API serves something else; `FAILED` that a release did
    not become healthy; `BROKEN` that the disk or the clone failed.
    """

    IN_SYNC = "in_sync"
    APPLIED = "applied"
    NOT_SERVED = "not_served"
    NOTHING_DECLARED = "nothing_declared"
    ORIGIN_AWAY = "origin_away"
    API_AWAY = "api_away"
    REFUSED = "refused"
    FAILED = "failed"
    BROKEN = "broken"


IN_SYNC = (Outcome.IN_SYNC, Outcome.APPLIED, Outcome.NOTHING_DECLARED)


@dataclass(frozen=True)
class Pass:
    """The result of a pass.

    Attributes:
        text: one sentence for people.
        fetched: the repository was read.
        mended: the files that differed from the release in service and were mended.
        commit: the commit that declares the release; empty if it is not known.
    """

    outcome: Outcome
    text: str
    fetched: bool = True
    mended: tuple[str, ...] = ()
    commit: str = ""

    @property
    def is_in_sync(self) -> bool:
        """Whether what is declared is served; it is if nothing is declared."""
        return self.outcome in IN_SYNC


class Reconciler:
    """Makes what a folder serves the release that a branch declares."""

    def __init__(
        self,
        clone: Clone,
        folder: ServedFolder,
        api: RunningApi,
        state_path: Path,
        wait_seconds: float,
        signers: Path | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            clone: a clone of the repository that is followed.
            folder: the folder that the API serves.
            api: the API that serves it.
            state_path: where to remember what is served and what failed.
            wait_seconds: how long a release may take to become healthy.
            signers: the file of those who may sign releases; see `declared.read`.
        """
        self._clone = clone
        self._folder = folder
        self._api = api
        self._state_path = state_path
        self._wait_seconds = wait_seconds
        self._signers = signers
        self._state = State.read(state_path)
        # The commit whose release was refused, and why: it is not checked again.
        self._refused: tuple[str, str] = ("", "")

    def run(self) -> Pass:
        """Make one pass.

        Raises:
            PipelineError: the clone cannot be used.
            OSError: the folder cannot be read or written.
        """
        try:
            tip = self._clone.fetch()
        except OriginAway as error:
            result = Pass(Outcome.ORIGIN_AWAY, str(error), fetched=False)
            return self._mended(result)
        commit = self._clone.declaring_commit(tip)
        if not commit:
            text = "The branch declares no release yet: nothing is changed."
            return Pass(Outcome.NOTHING_DECLARED, text)
        result = self._follow(tip, commit)
        return replace(result, commit=commit)

    def _follow(self, tip: str, commit: str) -> Pass:
        """Keep, refuse or apply the release that a commit declares."""
        served = self._state.served
        failed = self._state.failed
        if served and served.declared == commit:
            return self._keep(served)
        if failed and failed.declared == commit:
            return self._mended(Pass(Outcome.FAILED, failed.reason))
        try:
            release = self._check(tip, commit)
        except PipelineError as error:
            return self._mended(Pass(Outcome.REFUSED, str(error)))
        return self._roll_out(release)

    def _keep(self, served: ServedRelease) -> Pass:
        """Keep the declared release in service, and ask the API whether it serves it."""
        name = served.declared[:12]
        result = Pass(Outcome.IN_SYNC, f"Release {name} is in service.")
        result = self._mended(result)
        if result.mended:
            return result  # the API loads them soon
        wanted = self._clone.models(served.released)
        problem = self._api.problem(manifests(wanted))
        if problem:
            text = f"the files of release {name} are in place, but {problem}."
            return Pass(Outcome.NOT_SERVED, text)
        return result

    def _check(self, tip: str, commit: str) -> Declared:
        """Check a release that is new; a refused one is refused again for its reason."""
        refused, reason = self._refused
        if refused == commit:
            raise PipelineError(reason)
        try:
            return declared.read(self._clone, tip, commit, self._signers)
        except GitError:
            raise  # another attempt may succeed
        except PipelineError as error:
            self._refused = (commit, str(error))
            raise

    def _mended(self, result: Pass) -> Pass:
        """Undo what else has changed the files of the release in service."""
        served = self._state.served
        if served is None:
            return result
        wanted = self._clone.models(served.released)
        different = self._folder.differences(wanted)
        self._folder.write(wanted)
        return replace(result, mended=tuple(different))

    def _roll_out(self, release: Declared) -> Pass:
        """Apply a release; go back if it does not become healthy."""
        name = release.commit[:12]
        if not self._api.is_alive():
            text = (
                f"release {name} is not applied, because {self._api.address} does not"
                " answer: start the API, or name its address with --api."
            )
            return self._mended(Pass(Outcome.API_AWAY, text))
        before = self._before()
        after = self._clone.models(release.released)
        new = self._new(before, after)
        self._folder.write(after)
        problem = self._api.wait_until_served(new, self._wait_seconds)
        if problem:
            return self._go_back(release, before, problem)
        served = ServedRelease(declared=release.commit, released=release.released)
        self._remember(State(served=served))
        return Pass(Outcome.APPLIED, f"Release {name} was applied and is healthy.")

    def _before(self) -> Files:
        """Return the files to go back to: the last good release, or what was found."""
        served = self._state.served
        if served:
            return self._clone.models(served.released)
        return self._folder.read()

    def _new(self, before: Files, after: Files) -> list[Manifest]:
        """Return the manifests of the models that the API has to prove.

        After a first good release these are the models that change: another version of
        the others may have been loaded by hand.
        """
        every = manifests(after)
        if self._state.served is None:
            return every
        tasks = changed_tasks(before, after)
        return [manifest for manifest in every if manifest.task in tasks]

    def _go_back(self, release: Declared, before: Files, problem: str) -> Pass:
        self._folder.write(before)
        reason = (
            f"release {release.commit[:12]} did not become healthy within"
            f" {self._wait_seconds:g} seconds ({problem}), so the one before is in"
            " service again: release another commit."
        )
        failed = FailedRelease(declared=release.commit, reason=reason)
        self._remember(State(served=self._state.served, failed=failed))
        return Pass(Outcome.FAILED, reason)

    def _remember(self, state: State) -> None:
        state.write(self._state_path)
        self._state = state
