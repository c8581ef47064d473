"""How a file's columns become those of a task."""

from dataclasses import field

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from pipeline.data import expressions

# An unknown key is an error with its path.
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class Layout:
    """How a file's columns become those of the task.

    `derive` has an expression for each column that is not the file's column of the same
    name: `income`, `rooms / homes`, `value / 100000`, `month(sold_on)` (see
    `pipeline.data.expressions`). `values` replaces texts in a column, such as codes by
    words. `ignore` lists the columns of the file to drop; any other column that is not
    used is an error.
    """

    derive: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for text in self.derive.values():
            expressions.parse(text)
