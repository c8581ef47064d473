"""One trial of a study, as it is kept in runs."""

from statistics import fmean
from typing import Literal

from pydantic import BaseModel, JsonValue

COMPLETE = "complete"
PRUNED = "pruned"
FAILED = "failed"


class Trial(BaseModel, frozen=True):
    """Parameters that were tried.

    Attributes:
        number: its place in the study, from 0.
        sampled: the value of each dimension, as the sampler chose it.
        parameters: all parameters of the candidate.
        folds: the task's metric in each fold that was computed.
        state: whether all folds were computed, the trial was pruned, or a fold failed.
        failure: why it failed.
        seconds: the time of all its folds.
    """

    number: int
    sampled: dict[str, JsonValue]
    parameters: dict[str, JsonValue]
    folds: list[float]
    state: Literal["complete", "pruned", "failed"]
    failure: str = ""
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """The mean of the folds."""
        return fmean(self.folds)
