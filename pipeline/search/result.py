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
        trials = counted(len(self.trials), "trial")
        pruned = self.count(PRUNED)
        failed = self.count(FAILED)
        first = self.trials[0]
        return (
            f"{self.algorithm}: {trials} ({pruned} pruned, {failed} failed),"
            f" {self.seconds:.0f} s; {metric} of the best is {self.best.mean:.6g}"
            f" (trial {self.best.number}), of the first {first.mean:.6g}"
        )
