"""Two versions of iris, as the fixture `versions` makes them, and how they compare."""

import shutil
from pathlib import Path
from typing import NamedTuple

from history.runfile import Run
from pipeline.compare import compare as comparing
from pipeline.compare.comparison import Comparison
from pipeline.repo import Repo
from pipeline.verification import open_history
from tests.support.trained_runs import TrainedRuns


class Versions(NamedTuple):
    """The checkout, and what was trained and promoted in it.

    Attributes:
        runs: the checkout.
        first: the run of version 1.
        second: the run of version 2, which is the champion.
        unpromoted: a run at the second commit whose model is not kept.
        trained_at: the commits that the versions were trained at.
        published_at: the commits in which they came into service.
    """

    runs: TrainedRuns
    first: Run
    second: Run
    unpromoted: Run
    trained_at: list[str]
    published_at: list[str]


def compare(
    repo: Repo,
    a: str,
    b: str,
) -> list[Comparison]:
    """Compare two names, each of one or more runs."""
    with open_history(repo) as history:
        return comparing.compare(repo, history, a, b)


def compare_one(
    versions: Versions,
    a: str,
    b: str,
) -> Comparison:
    """Compare two names that are each of one run."""
    repo = versions.runs.repo
    (comparison,) = compare(repo, a, b)
    return comparison


def copy(runs: TrainedRuns, folder: Path) -> Repo:
    """Return a copy of the checkout, which a test may change."""
    original = runs.repo.root
    shutil.copytree(original, folder)
    return Repo.open(folder)
