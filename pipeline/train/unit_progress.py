"""Shows the units of work of a training as they are done."""

from types import TracebackType

from rich.console import Console
from rich.progress import Progress

from core.counts import counted
from pipeline.train.units import Outcome, Unit


class UnitProgress:
    """The progress of one task's training: a bar in a terminal, else nothing.

    A training on a cluster takes longer and leaves a log: there each unit is a line
    where there is no terminal, and the end shows what more workers could gain.
    """

    def __init__(
        self,
        console: Console,
        task: str,
        count: int,
        has_cluster: bool,
    ) -> None:
        """Prepare the bar.

        Args:
            console: where it is shown.
            task: the task's name.
            count: the number of units.
            has_cluster: whether a cluster does the work.
        """
        self._console = console
        self._task = task
        self._count = count
        self._has_cluster = has_cluster
        self._seconds: dict[str, float] = {}
        self._progress = Progress(
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task(f"Training {task}", total=count)

    def __enter__(self) -> "UnitProgress":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        if self._has_cluster and error is None:
            self._print(self._summary())

    def advance(self, unit: Unit, outcome: Outcome) -> None:
        """Show that a unit is done."""
        self._seconds[str(unit)] = outcome.seconds
        done = len(self._seconds)
        self._progress.update(
            self._bar,
            completed=done,
            description=f"Training {self._task}: {unit}",
        )
        if self._has_cluster and not self._console.is_terminal:
            self._print(f"{self._task}: {unit} ({done} of {self._count})")

    def _summary(self) -> str:
        """Return the work in all, and the unit that no further worker makes shorter."""
        total = sum(self._seconds.values())
        longest = max(self._seconds, key=self._seconds.__getitem__)
        seconds = self._seconds[longest]
        return (
            f"{self._task}: {counted(len(self._seconds), 'unit')} of work took"
            f" {total:.1f} s in all, the longest {seconds:.1f} s ({longest})"
        )

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, emoji=False, soft_wrap=True)
