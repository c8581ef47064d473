"""The runs of a month as rows of a table, small enough to load a month at once."""

from typing import Any

from history import Run
from pipeline.report.day_summaries import COMMIT, GATE
from pipeline.site.scripts import short_number


class Names:
    """Names that occur in many rows; a row has their places."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Return the place of a name, which is added if it is new."""
        return self.places.setdefault(name, len(self.places))

    @property
    def listed(self) -> list[str]:
        """The names in the order of their places."""
        return list(self.places)


class Month:
    """The rows of an experiment's month."""

    def __init__(self) -> None:
        self._params = Names()
        self._metrics = Names()
        self._rows: list[list[Any]] = []

    def add(self, run: Run, day: str, versions: list[str]) -> None:
        """Add the row of a run.

        Args:
            day: the folder of its day.
            versions: what it was promoted to, such as `housing v3`.
        """
        seconds = None
        if run.ended is not None:
            seconds = round((run.ended - run.started) / 1000, 1)
        decision = ", ".join(versions) or run.tags.get(GATE, "")
        params = []
        for name in sorted(run.params):
            params += [self._params.place(name), run.params[name]]
        metrics = []
        for name in sorted(run.metrics):
            value = run.latest(name)
            if value is not None:
                metrics += [self._metrics.place(name), short_number(value)]
        row = [
            run.run_id,
            day,
            run.name,
            run.started,
            seconds,
            run.status,
            run.tags.get(COMMIT, "")[:12],
            decision,
            GATE in run.tags,
            params,
            metrics,
        ]
        self._rows.append(row)

    def content(self) -> dict[str, Any]:
        """Return the content of the month's data file."""
        return {
            "params": self._params.listed,
            "metrics": self._metrics.listed,
            "rows": self._rows,
        }
