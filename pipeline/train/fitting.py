"""Fits the candidates of a task, and shows how far it is."""

import time
from collections.abc import Iterator

from rich.console import Console

from pipeline.params import Parameters
from pipeline.train import units
from pipeline.train.backend import Backend
from pipeline.train.candidates import Candidate, Failure, fit_all
from pipeline.train.training_data import TrainingData
from pipeline.train.unit_progress import UnitProgress


def fit(
    data: TrainingData,
    candidates: dict[str, Parameters],
    cluster: Backend | None,
    console: Console,
) -> Iterator[tuple[Candidate | Failure, float]]:
    """Yield each candidate as soon as it is evaluated, and when its training began.

    Args:
        data: the rows and settings of all candidates.
        candidates: the hyperparameters by algorithm.
        cluster: where they are fitted; None means on this machine.
        console: where the progress is shown.

    Yields:
        The candidate, and the seconds since the epoch.

    Raises:
        PipelineError: there are too few rows, or the cluster fails.
    """
    progress = UnitProgress(
        console,
        data.task.name,
        len(units.units_of(candidates, data.folds)),
        has_cluster=cluster is not None,
    )
    began = time.time()
    with progress:
        for result in fit_all(data, candidates, cluster, progress.advance):
            yield result, began
            began = time.time()
