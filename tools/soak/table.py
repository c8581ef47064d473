"""The figures of a repository with many pushes, as they were before and are now."""

from dataclasses import dataclass

from rich.table import Table

# How many pushes the earlier figures are of.
MEASURED = (100, 1000, 10_000)


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        key: the name of the figure.
        earlier: what it was with 100, 1,000 and 10,000 pushes, before publishing worked
            without a checkout; empty where it was not measured.
    """

    key: str
    title: str
    unit: str
    earlier: tuple[str, str, str]


ROWS = [
    Row(
        key="files",
        title="files of the tree",
        unit="",
        earlier=("12,148", "111,148", "1,101,148"),
    ),
    Row(
        key="runs",
        title="runs",
        unit="",
        earlier=("2,023", "19,123", "190,123"),
    ),
    Row(
        key="clone_mb",
        title="full clone, without a checkout",
        unit="MB",
        earlier=("12", "84", "818"),
    ),
    Row(
        key="clone",
        title="full clone, without a checkout",
        unit="s",
        earlier=("0.4", "1.7", "16"),
    ),
    Row(
        key="checkout",
        title="checkout of all files",
        unit="s",
        earlier=("0.6", "9.9", "111"),
    ),
    Row(
        key="shallow",
        title="clone with depth 1",
        unit="s",
        earlier=("0.4", "2.2", "18"),
    ),
    Row(
        key="lint_mb",
        title="checkout of a lint job",
        unit="MB",
        earlier=("3", "24", "228"),
    ),
    Row(
        key="lint",
        title="checkout of a lint job",
        unit="s",
        earlier=("0.2", "0.7", "6.5"),
    ),
    Row(
        key="first",
        title="first publish: writes all summaries",
        unit="s",
        earlier=("", "", ""),
    ),
    Row(
        key="publish",
        title="publish",
        unit="s",
        earlier=("6.6", "69", "334 or more"),
    ),
    Row(
        key="fetch",
        title="fetch of one publish",
        unit="s",
        earlier=("", "0.12", "0.94"),
    ),
    Row(
        key="build",
        title="database from nothing",
        unit="s",
        earlier=("1.5", "8.9", "89"),
    ),
    Row(
        key="archive",
        title="archive of all years",
        unit="s",
        earlier=("", "", ""),
    ),
    Row(
        key="tip",
        title="clone with depth 1 and all files, all years archived",
        unit="s",
        earlier=("", "", ""),
    ),
]


def of(pushes: int, figures: dict[str, float]) -> Table:
    """Return the table of a repository with this many invented pushes.

    Args:
        figures: what was measured, by the keys of the rows.
    """
    table = Table(title=f"A repository with {pushes:,} pushes")
    table.add_column("what")
    table.add_column("unit")
    for count in MEASURED:
        table.add_column(f"before, {count:,}", justify="right")
    table.add_column(f"now, {pushes:,}", justify="right")
    for row in ROWS:
        now = "not measured"
        if row.key in figures:
            now = _number(figures[row.key])
        table.add_row(row.title, row.unit, *row.earlier, now)
    return table


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}"
