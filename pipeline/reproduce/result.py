"""What `pipeline reproduce` reports."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """Something that was otherwise the second time.

    Attributes:
        what: what differs, such as `metric holdout_rmse`.
        recorded: its value in the history.
        again: its value when the run was made again.
    """

    what: str
    recorded: str
    again: str

    def __str__(self) -> str:
        return f"{self.what}: {self.recorded} in the history, {self.again} made again"


@dataclass(frozen=True)
class Reproduction:
    """A run that was made again.

    Attributes:
        title: how the run is called, such as `iris v2`.
        run_id: its ID.
        commit: the commit that it was trained from.
        how: how it was made again, as the end of a sentence.
        equal: what was compared and is equal, such as `18 metrics`.
        differences: what differs: results, and records that contradict the commit.
        conditions: what was otherwise and may explain a difference: Python, libraries,
            machine.
        predictions: how far the two models' predictions are apart, in a sentence; empty
            if the models are equal, or cannot be compared.
    """

    title: str
    run_id: str
    commit: str
    how: str
    equal: list[str]
    differences: list[Difference]
    conditions: list[Difference]
    predictions: str = ""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        return {"same": self.is_same} | asdict(self)

    def lines(self) -> list[str]:
        """Return the report for people; its first word is the verdict."""
        verdict = "same" if self.is_same else "differs"
        equal = ", ".join(self.equal) or "nothing"
        lines = [
            f"{verdict}: {self.title} (run {self.run_id}, commit {self.commit[:12]}),"
            f" made again {self.how}; equal: {equal}."
        ]
        for difference in self.differences:
            lines.append(f"  {difference}")
        if self.predictions:
            lines.append(f"  {self.predictions}")
        for condition in self.conditions:
            lines.append(f"  not as it was then: {condition}")
        if self.differences and not self.conditions:
            lines.append(
                "  Python and the libraries have the recorded versions, and the kind of"
                " machine is the same, unless the run is too old to have recorded it."
            )
        return lines
