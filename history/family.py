"""The order in which runs are imported: parents first, and no bad run stops another."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from core.counts import counted
from core.errors import PipelineError, UsageError
from history.mlflow_source import Store, UnreadableRunError

UNFINISHED = ("RUNNING", "SCHEDULED")


class RunWriter(Protocol):
    """Writes one run into the history and returns its folder."""

    def write(self, entity: Any) -> Path:
        """Write a run.

        Raises:
            UsageError: it cannot; the text continues "the run X".
        """


class Family:
    """Imports runs with those that they belong with.

    Attributes:
        folders: the folder of each run that was imported, by run ID.
        left_out: why a run was not imported, by run ID; it continues "the run X".
    """

    def __init__(
        self,
        store: Store,
        writer: RunWriter,
        notice: Callable[[str], None],
        imported: Callable[[Path], None],
    ) -> None:
        self.folders: dict[str, Path] = {}
        self.left_out: dict[str, str] = {}
        self._store = store
        self._writer = writer
        self._notice = notice
        self._imported = imported
        self._failed: set[str] = set()  # those left out although they have ended
        self._seen: set[str] = set()

    def import_runs(self, run_ids: Sequence[str] | None) -> None:
        """Import some runs, or all; see `import_named` and `import_all`."""
        if run_ids:
            self.import_named(run_ids)
        else:
            self.import_all()

    def import_all(self) -> None:
        """Import every active run of the store that is not in the history.

        Raises:
            PipelineError: a run that has ended could not be imported.
        """
        seeds = []
        for run in self._store.runs():
            if not self._store.is_kept(run):
                seeds.append(run.info.run_id)
        for run_id in seeds:
            self._visit(run_id)
            if run_id in self.left_out:
                self._notice(self._sentence(run_id))
        failed = self._failed.intersection(seeds)
        if failed:
            done = counted(len(self.folders), "run was imported", "runs were imported")
            raise PipelineError(
                f"{done}, {len(failed)} could not be: the reasons are named above."
            )

    def import_named(self, run_ids: Sequence[str]) -> None:
        """Import these runs and whatever belongs with them.

        Raises:
            UsageError: one of them could not be imported; the others were.
        """
        for run_id in run_ids:
            self._visit(run_id)
        for run_id in self.left_out.keys() - set(run_ids):
            self._notice(self._sentence(run_id))
        missing = [
            self._sentence(run_id)
            for run_id in dict.fromkeys(run_ids)
            if run_id in self.left_out
        ]
        if missing:
            raise UsageError("\n".join(missing))

    def _sentence(self, run_id: str) -> str:
        return f"the run {run_id} {self.left_out[run_id]}"

    def _visit(self, run_id: str) -> None:
        """Import a run after those that it needs and before its children."""
        if run_id in self._seen:
            return
        self._seen.add(run_id)
        run = self._store.run(run_id)
        if run is None:
            self._leave_out(run_id, "is not found in the store.")
        elif not self._store.is_kept(run) and self._is_ready(run):
            self._write(run)
            for child in self._store.children(run_id):
                self._visit(child)

    def _is_ready(self, run: Any) -> bool:
        """Return whether a run has ended and all that it needs is imported.

        If not, the reason is noted.
        """
        run_id = str(run.info.run_id)
        state = "deleted"
        if run.info.lifecycle_stage == "active":
            state = run.info.status
        if state in UNFINISHED or state == "deleted":
            reason = f"is {state}: only ended runs can be imported."
            self._leave_out(run_id, reason, failed=False)
            return False
        for other, relation in self._store.needs(run).items():
            self._visit(other)
            if other in self.left_out:
                reason = f"is left out with {relation}, the run {other}, which"
                reason += f" {self.left_out[other]}"
                self._leave_out(run_id, reason, failed=other in self._failed)
                return False
        return True

    def _write(self, run: Any) -> None:
        run_id = str(run.info.run_id)
        try:
            folder = self._writer.write(run)
        except UsageError as error:
            self._leave_out(run_id, str(error))
        except UnreadableRunError as error:
            self._store.require_answer()
            self._leave_out(run_id, str(error))
        else:
            self.folders[run_id] = folder
            self._imported(folder)

    def _leave_out(
        self,
        run_id: str,
        reason: str,
        failed: bool = True,
    ) -> None:
        self.left_out[run_id] = reason
        if failed:
            self._failed.add(run_id)
