"""The slices of a task: named groups of rows that no challenger may get worse on."""

from collections.abc import Mapping
from math import inf
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from pipeline.data.layout import STRICT

# The names are parts of metrics' names, such as `slice_sex_female_roc_auc`.
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
# The categories of each column; a column of numbers has none.
Columns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, config=STRICT)
class Group:
    """Rows with one of the `categories`, or with a number in a band.

    A band has all numbers from `at_least` on that are below `below`; without one of the
    two it has no such end.
    """

    categories: tuple[str, ...] = ()
    at_least: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        has_low = self.at_least is not None
        has_high = self.below is not None
        has_edge = has_low or has_high
        if has_edge == bool(self.categories):
            raise ValueError("give it categories, or at_least and below")
        if self.low >= self.high:
            raise ValueError(
                f"no number is at least {self.low:g} and below {self.high:g}"
            )

    @property
    def low(self) -> float:
        """The smallest number of the band."""
        if self.at_least is None:
            return -inf
        return self.at_least

    @property
    def high(self) -> float:
        """The number that ends the band."""
        if self.below is None:
            return inf
        return self.below


@dataclass(frozen=True, config=STRICT)
class NamedSlice:
    """Groups of rows by a column, or by the sum of columns of numbers, `a + b`.

    A row is in one group at most. `may_lose` is how much worse than the champion a
    challenger may be on a group, in units of the task's metric.
    """

    by: str
    groups: Annotated[dict[Name, Group], Field(min_length=1)]
    may_lose: Annotated[float, Field(ge=0)]

    @property
    def columns(self) -> list[str]:
        """The columns that decide about a row."""
        return [column.strip() for column in self.by.split("+")]

    def check(self, columns: Columns) -> None:
        """Compare the slice with the columns of its task.

        Raises:
            ValueError: a column or a category does not exist, or groups overlap.
        """
        for column in self.columns:
            if column not in columns:
                raise ValueError(f"by: the task has no column {column}")
        kinds = [columns[column] for column in self.columns]
        is_sum = len(kinds) > 1
        if is_sum and any(kinds):
            raise ValueError(f"by: {self.by} is not a sum of numbers")
        for name, group in self.groups.items():
            _check_group(f"groups.{name}", self.by, group, kinds[0])
        self._check_overlap()

    def _check_overlap(self) -> None:
        categories: list[str] = []
        bands = []
        for group in self.groups.values():
            categories += group.categories
            band = (group.low, group.high)
            bands.append(band)
        for category in categories:
            if categories.count(category) > 1:
                raise ValueError(f"groups: {category} is in two of them")
        bands.sort()
        pairs = zip(bands, bands[1:], strict=False)
        for (_, end), (begin, _) in pairs:
            overlaps = begin < end
            if overlaps and not categories:
                raise ValueError(f"groups: {begin:g} is in two of them")


def _check_group(
    where: str, column: str, group: Group, allowed: tuple[str, ...]
) -> None:
    """Raise an error if a group is not one of a column."""
    if allowed and not group.categories:
        raise ValueError(f"{where}: {column} is not a number, so give it categories")
    for category in group.categories:
        if category not in allowed:
            choice = ", ".join(allowed) or "none, as it is a number"
            raise ValueError(
                f"{where}: {column} has no category {category}; its categories: {choice}"
            )


@dataclass(frozen=True, config=STRICT)
class Fairness:
    """The slices whose groups are to be treated alike, and the class that is an advantage.

    The figures are in the run and in the model card; the gate does not judge them.
    """

    favourable: str
    slices: Annotated[tuple[str, ...], Field(min_length=1)]

    def check(self, classes: tuple[str, ...], slices: Mapping[str, NamedSlice]) -> None:
        """Compare it with the classes and slices of its task.

        Raises:
            ValueError: one of the names does not exist.
        """
        if self.favourable not in classes:
            raise ValueError(f"favourable: the target has no class {self.favourable}")
        for name in self.slices:
            if name not in slices:
                raise ValueError(f"slices: the task has no slice {name}")
            if len(slices[name].groups) == 1:
                raise ValueError(f"slices: {name} has one group, which equals itself")


def check_slices(
    slices: Mapping[str, NamedSlice],
    fairness: Fairness | None,
    columns: Columns,
    classes: tuple[str, ...],
) -> None:
    """Compare a task's slices, and what is to be fair, with its columns.

    Args:
        slices: the slices by name.
        fairness: which of them are to be treated alike, if any.
        columns: the columns of the task with their categories.
        classes: the classes of its target.

    Raises:
        ValueError: a name does not exist, or groups overlap.
    """
    for name, named in slices.items():
        try:
            named.check(columns)
        except ValueError as error:
            raise ValueError(f"slices.{name}.{error}") from error
    if fairness:
        try:
            fairness.check(classes, slices)
        except ValueError as error:
            raise ValueError(f"fairness.{error}") from error
