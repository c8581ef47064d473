"""All rows in their order, and the table of them in `docs/coming-from.md`."""

from pathlib import Path

from scripts.stack.settings import ROOT
from tools.documents.row import Row
from tools.documents.rows import (
    commands,
    containers,
    folders,
    history,
    metrics,
    predictions,
    settings,
    training,
)

PARTS = (
    containers,
    predictions,
    training,
    history,
    metrics,
    folders,
    settings,
    commands,
)
ROWS: list[Row] = []
for part in PARTS:
    ROWS += part.ROWS
ROWS.sort(key=lambda row: row.number)
PAGE = ROOT / "docs" / "coming-from.md"
BEGIN = "<!-- `nox -s docs` generates this table from `tools/documents/rows/`. -->\n"
END = "<!-- End of the table. -->\n"


def pages() -> dict[Path, str]:
    """Return the page with a new table; the text around it stays."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {PAGE: f"{before}{BEGIN}{markdown()}{END}{after}"}


def markdown() -> str:
    """Return the rows as a table."""
    lines = [
        "| what you type or look for | here | more |",
        "|---|---|---|",
    ]
    for row in ROWS:
        lines.append(f"| {row.typed} | {row.here} | {row.page} |")
    return "\n".join(lines) + "\n"
