"""Which runs of a store are saved together: parents first, and no bad run stops
another.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from core.errors import PipelineError, UsageError
from history.mlflow_source import Store, UnreadableRunError

UNFINISHED = ("RUNNING", "SCHEDULED")


class Writes(Protocol):
    """What puts one run into the history and returns its folder."""

    def write(self, entity: Any) -> Path:
        """Raise a UsageError whose text goes on from "the run X" if it cannot."""


class Family:
    """Saves runs with those that they belong with.

    Attributes:
        folders: where each run that was saved lies, by run id.
        left_out: why a run was not saved, by run id; it goes on from "the run X".
    """

    def __init__(
        self,
        store: Store,
        writer: Writes,
        notice: Callable[[str], None],
        saved: Callable[[Path], None],
    ) -> None:
        self._store, self._writer = store, writer
        self._notice, self._saved = notice, saved
        self.folders: dict[str, Path] = {}
        self.left_out: dict[str, str] = {}
        self._failed: set[str] = set()  # those left out that have ended
        self._seen: set[str] = set()

    def save_all(self) -> None:
        """Save every active run of the store that is not in the history.

        Raises:
            PipelineError: one that has ended could not be saved.
        """
        seeds = [
            run.info.run_id
            for run in self._store.runs()
            if not self._store.is_kept(run)
        ]
        for run_id in seeds:
            self._visit(run_id)
            if run_id in self.left_out:
                self._notice(self._sentence(run_id))
        if self._failed.intersection(seeds):
            failed, saved = len(self._failed.intersection(seeds)), len(self.folders)
            raise PipelineError(
                f"{saved} runs are saved, {failed} could not be: the reasons are named"
                " above."
            )

    def save_named(self, run_ids: Sequence[str]) -> None:
        """Save these runs, whatever belongs with them comes along.

        Raises:
            UsageError: one of them could not be saved; the others are.
        """
        for run_id in run_ids:
            self._visit(run_id)
        for run_id in self.left_out.keys() - {*run_ids}:
            self._notice(self._sentence(run_id))
        if missing := [
            run_id for run_id in dict.fromkeys(run_ids) if run_id in self.left_out
        ]:
            raise UsageError("\n".join(map(self._sentence, missing)))

    def _sentence(self, run_id: str) -> str:
        return f"the run {run_id} {self.left_out[run_id]}"

    def _visit(self, run_id: str) -> None:
        """Save a run after those that it needs and before its children."""
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
        """Tell whether a run has ended and all that it needs is saved; else note the
        reason.
        """
        run_id = str(run.info.run_id)
        state = run.info.status if run.info.lifecycle_stage == "active" else "deleted"
        if state in UNFINISHED or state == "deleted":
            self._leave_out(
                run_id, f"is {state}: only ended runs can be saved.", failed=False
            )
            return False
        for other, relation in self._store.needs(run).items():
            self._visit(other)
            if reason := self.left_out.get(other):
                said = f"is left out with {relation}, the run {other}, which {reason}"
                self._leave_out(run_id, said, failed=other in self._failed)
                return False
        return True

    def _write(self, run: Any) -> None:
        run_id = str(run.info.run_id)
        try:
            folder = self._writer.write(run)
        except UsageError as error:
            return self._leave_out(run_id, str(error))
        except UnreadableRunError as error:
            self._store.require_answer()
            return self._leave_out(run_id, str(error))
        self.folders[run_id] = folder
        self._saved(folder)

    def _leave_out(self, run_id: str, reason: str, failed: bool = True) -> None:
        self.left_out[run_id] = reason
        if failed:
            self._failed.add(run_id)
