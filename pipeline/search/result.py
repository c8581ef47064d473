"""What the search of one algorithm came to."""

from dataclasses import dataclass

from core.counts import counted
from pipeline.search.trial import FAILED, PRUNED, Trial


@dataclass(frozen=True)
class SearchResult:
    """What the search of one algorithm came to.

    Attributes:
        algorithm: the algorithm.
        trials: all trials of the study.
        best: the best of them.
        seconds: how long this search took.
    """

    algorithm: str
    trials: list[Trial]
    best: Trial
    seconds: float

    def count(self, state: str) -> int:
        """Return how many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)

    def sentence(self, metric: str) -> str:
        """Return the result in one sentence."""
        return (
            f"{self.algorithm}: {counted(len(self.trials), 'trial')}"
            f" ({self.count(PRUNED)} pruned, {self.count(FAILED)} failed),"
            f" {self.seconds:.0f} s; {metric} of the best"
            f" is {self.best.mean:.6g} (trial {self.best.number}),"
            f" of the first {self.trials[0].mean:.6g}"
        )
