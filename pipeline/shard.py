"""A share of the tasks, for trainings that run side by side on several machines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.counts import counted
from core.errors import UsageError

FORM = re.compile(r"(?P<number>[1-9]\d*)/(?P<count>[1-9]\d*)")


@dataclass(frozen=True)
class Shard:
    """Every `count`-th task, from the one with a number on, which begins at 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> "Shard | None":
        """Return the shard in a text such as `2/3`; None if the text is empty.

        Raises:
            UsageError: it is none.
        """
        if not text:
            return None
        match = FORM.fullmatch(text)
        if match:
            number = int(match["number"])
            count = int(match["count"])
            if number <= count:
                return cls(number, count)
        raise UsageError(
            f"{text!r} is no shard: write NUMBER/COUNT, such as 1/3 for the first of"
            " three."
        )

    def of(self, names: Sequence[str]) -> list[str]:
        """Return this shard's share of some names.

        Raises:
            UsageError: there are more shards than names.
        """
        if len(names) < self.count:
            raise UsageError(
                f"shard {self}: {counted(len(names), 'task is', 'tasks are')} too few for"
                f" {counted(self.count, 'shard')}."
            )
        first = self.number - 1
        share = names[first :: self.count]
        return list(share)
