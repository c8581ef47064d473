"""Two versions of iris, as the fixture `versions` makes them."""

from typing import NamedTuple

from history.runfile import Run
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
