"""The data files of all runs: one for each day, and one for each month."""

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path

from history import History, Run
from pipeline.report.day_summaries import is_push
from pipeline.site import experiments, scripts
from pipeline.site.dataset_content import Datasets
from pipeline.site.experiments import Experiment, TableUse
from pipeline.site.month import Month
from pipeline.site.run_content import describe

DIGEST = "digest.data"
ORIGIN = "data.origin"
MONTH = len("2026-11")  # of a day's name


class RunFiles:
    """Writes the data files of runs, and gathers what other pages need of them."""

    def __init__(
        self,
        history: History,
        site: Path,
        versions: Mapping[str, list[str]],
        advance: Callable[[int], None],
    ) -> None:
        """Prepare to write.

        Args:
            site: the folder of the site.
            versions: what runs were promoted to, by run ID.
            advance: called with the number of runs that were written.
        """
        self._history = history
        self._site = site
        self._versions = versions
        self._advance = advance

    def write(self) -> list[Experiment]:
        """Write all files; return the experiments.

        Raises:
            PipelineError: a run is damaged.
        """
        written = []
        for folder, days in experiments.run_ids(self._history).items():
            task = experiments.task_of(folder)
            experiment = Experiment(folder, folder, task)
            for name, days_of_month in groupby(days, _month):
                month = Month()
                for day in days_of_month:
                    runs = self._read(days[day])
                    experiment.title = runs[0].experiment
                    self._write_day(experiment, day, runs, month)
                scripts.write(self._site, f"{folder}/{name}", month.content())
            written.append(experiment)
        return written

    def _read(self, run_ids: list[str]) -> list[Run]:
        """Return the runs of a day, oldest first."""
        runs = []
        for run_id in run_ids:
            run = self._history.run(run_id)
            runs.append(run)
        return sorted(runs, key=_oldest_first)

    def _write_day(
        self, experiment: Experiment, day: str, runs: list[Run], month: Month
    ) -> None:
        """Write the file of a day, and add its runs to the month."""
        key = f"{experiment.folder}/{day}"
        datasets = Datasets()
        described = {}
        for run in runs:
            versions = self._versions.get(run.run_id, [])
            parent = self._parent(run)
            described[run.run_id] = describe(run, parent, versions, datasets)
            month.add(run, day, versions)
            if is_push(run):
                _note_table(experiment, f"{key}/{run.run_id}", run)
        experiment.days[day] = len(runs)
        content = {"runs": described, "datasets": datasets.listed}
        scripts.write(self._site, key, content)
        self._advance(len(runs))

    def _parent(self, run: Run) -> str | None:
        """Return the place of a run's parent, if that is in the history."""
        if run.parent is None or run.parent not in self._history:
            return None
        return experiments.place_of(self._history, run.parent)


def _month(day: str) -> str:
    return day[:MONTH]


def _oldest_first(run: Run) -> tuple[int, str]:
    return run.started, run.run_id


def _note_table(experiment: Experiment, place: str, run: Run) -> None:
    """Note which table a push was trained on."""
    digest = run.tags.get(DIGEST)
    if not digest:
        return
    uses = experiment.data
    if uses and uses[-1].digest == digest:
        uses[-1].pushes += 1
        return
    use = TableUse(
        started=run.started,
        run=place,
        digest=digest,
        origin=run.tags.get(ORIGIN, ""),
        rows=_rows(run),
    )
    uses.append(use)


def _rows(run: Run) -> int | None:
    """Return how many rows the table of a push had, if the push says so."""
    trained = run.latest("rows_train")
    held_out = run.latest("rows_holdout")
    if trained is None or held_out is None:
        return None
    return int(trained + held_out)
