"""What `pipeline reproduce` reports."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from core.counts import counted


@dataclass(frozen=True)
class Difference:
    """Something that was otherwise the second time.

    Attributes:
        what: what differs, such as `metric holdout_rmse`.
        recorded: its value in the history.
        again: its value when the run was made again.
        kind: what kind of value it is, such as `metric`.
    """

    what: str
    recorded: str
    again: str
    kind: str = ""

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
        tolerated: what differs within the task's tolerance, because the run was made on
            another kind of machine.
        machine: the kind of machine that the run was made on, if it was another one.
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
    tolerated: list[Difference] = field(default_factory=list)
    machine: str = ""
    predictions: str = ""

    @property
    def is_reproduced(self) -> bool:
        """Whether nothing differs by more than the machines explain."""
        return not self.differences

    @property
    def is_same(self) -> bool:
        """Whether nothing differs at all."""
        return not self.differences and not self.tolerated

    @property
    def verdict(self) -> str:
        """The outcome in a word."""
        if self.is_same:
            return "same"
        return "equivalent" if self.is_reproduced else "differs"

    def to_json(self) -> dict[str, Any]:
        """Return the same for machines."""
        return {"verdict": self.verdict, "same": self.is_same} | asdict(self)

    def lines(self) -> list[str]:
        """Return the report for people; its first word is the verdict."""
        equal = ", ".join(self.equal) or "nothing"
        lines = [
            f"{self.verdict}: {self.title} (run {self.run_id}, commit {self.commit[:12]}),"
            f" made again {self.how}; equal: {equal}."
        ]
        for difference in self.differences:
            lines.append(f"  {difference}")
        if self.tolerated:
            lines.append(
                f"  within the task's tolerance, as the run was made on {self.machine}:"
                f" {self._count_tolerated()}"
            )
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

    def _count_tolerated(self) -> str:
        kinds = Counter(difference.kind for difference in self.tolerated)
        counts = [counted(count, kind) for kind, count in kinds.items()]
        return ", ".join(counts)
