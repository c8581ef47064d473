"""The pages of a task: its leaderboard, its data, and a card for each version."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from history import History, Promotion
from pipeline.report.pushes import Runs
from pipeline.site import cards, data_profile, rendering, task_files
from pipeline.site.data_profile import ModelVersion
from pipeline.site.experiments import Experiment
from pipeline.site.rendering import Frame
from pipeline.site.task_files import TaskHistory

NEWEST_VERSIONS = 100  # on the leaderboard
NEWEST_TABLES = 50  # on the page of the data


@dataclass(frozen=True)
class TaskPages:
    """Writes the pages and data files of a task.

    Attributes:
        site: the folder of the site.
        experiments: those that the task trains into.
    """

    history: History
    site: Path
    section: TaskHistory
    runs: Runs
    experiments: list[Experiment]
    frame: Frame

    def write(self) -> None:
        """Write all of them.

        Raises:
            PipelineError: the manifest of a version is damaged.
        """
        task_files.write(self.site, self.section, self.runs.folders)
        self._page("task", "task.html", shown=NEWEST_VERSIONS)
        versions = []
        for promotion in self.section.versions:
            versions.append(self._write_card(promotion))
        self._write_data(versions)

    def _write_card(self, promotion: Promotion) -> ModelVersion:
        card = cards.read(self.history, promotion)
        name = f"{self.section.slug}-{promotion.version}"
        plots = cards.copy_plots(self.history, promotion, self.site, name)
        self._page("card", "card.html", f"-{promotion.version}", card=card, plots=plots)
        return card

    def _write_data(self, versions: list[ModelVersion]) -> None:
        tables = data_profile.tables(versions)
        data_profile.write(self.site, self.section.slug, tables)
        columns = list(data_profile.columns(tables)) if tables else []
        self._page(
            "data",
            "data.html",
            columns=columns,
            tables=tables,
            shown=NEWEST_TABLES,
        )

    def _page(self, kind: str, template: str, ending: str = "", **values: Any) -> None:
        """Write a page with what all of them show, and some more values."""
        rendering.write_page(
            self.site,
            f"{kind}-{self.section.slug}{ending}.html",
            template,
            frame=self.frame,
            section=self.section,
            runs=self.runs,
            experiments=self.experiments,
            **values,
        )
