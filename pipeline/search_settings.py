"""The section `search` of a task in `params.yaml`: what to search, and for how long."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator


class Range(BaseModel, extra="forbid", frozen=True):
    """Numbers from `low` to `high`; whole ones if both are, evenly by order with `log`."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low {self.low} is not above 0, as log needs")
        return self


def _kind(value: Any) -> str:
    return "choice" if isinstance(value, list) else "range"


Choice = Annotated[list[bool | int | float | str], Field(min_length=2)]
Dimension = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choice, Tag("choice")],
    Discriminator(_kind),
]
Space = dict[str, Dimension]


class Search(BaseModel, extra="forbid", frozen=True):
    """How to search the hyperparameters of a task's candidates.

    `space` gives for each algorithm the parameters to vary; all others are as in
    `candidates`. A study ends after `trials`, and a command after `minutes`. The pruner
    `median` ends a trial after a fold if its mean is worse than the median of the
    earlier trials' means there.
    """

    trials: int = Field(default=60, ge=1, le=10_000)
    minutes: float = Field(default=10, gt=0)
    pruner: Literal["median", "none"] = "median"
    space: dict[str, Annotated[Space, Field(min_length=1)]] = Field(min_length=1)
