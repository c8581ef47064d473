"""The challengers that were compared with a champion before."""

from datetime import timedelta
from pathlib import Path

from history import History, Promotion, layout
from pipeline.report import day_summaries
from pipeline.report.day_summaries import CHALLENGER, CHAMPION

# A challenger may have been trained so long before the champion that it meets was
# promoted.
LONGEST_WAIT = timedelta(days=30)


def compared(history: History, champion: Promotion, summaries: Path) -> set[str]:
    """Return the SHA-256 of the challengers that a champion met on the hold-out.

    Only the days since its promotion are read, from the summaries where they hold.

    Args:
        history: the history of the tip.
        champion: the champion.
        summaries: the folder of the summaries.

    Raises:
        PipelineError: a run is damaged.
    """
    promoted = layout.time(champion.promoted)
    first_day = (promoted - LONGEST_WAIT).date().isoformat()

    def is_since(day: Path) -> bool:
        experiment = day.parent.name
        is_of_task = layout.is_experiment_folder(experiment, champion.model)
        return is_of_task and layout.date(day) >= first_day

    digests = set()
    for summary in day_summaries.read(history, summaries, is_since).values():
        for run in summary.shown:
            if run.tags.get(CHAMPION) == str(champion.version):
                digests.add(run.tags[CHALLENGER])
    return digests
