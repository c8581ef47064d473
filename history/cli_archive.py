"""The commands for archived years."""

from typing import Annotated

import typer

from core.counts import counted
from history.cli_settings import Settings

Year = Annotated[str, typer.Argument(metavar="YEAR", help="A year, such as 2025.")]


def archive_year(context: typer.Context, year: Year) -> None:
    """Move the runs of a year out of the newest commit into the tag history/YEAR.

    Promoted runs, and all that they belong with, stay. It commits, and pushes nothing.
    """
    from history.archive import archive

    settings: Settings = context.obj
    with settings.history() as history:
        result = archive(history, year)
    moved = counted(result.moved, f"run of {year} is", f"runs of {year} are")
    print(f"{moved} in the tag {result.tag}.")
    if result.stay:
        stay = counted(result.stay, "run stays", "runs stay")
        print(f"{stay}: those of promoted models, or of later runs.")
    print(f"Push both: git push --atomic origin HEAD {result.tag}")


def extract_year(context: typer.Context, year: Year) -> None:
    """Write the runs of an archived year where `build` finds them; Git ignores them."""
    from history.archive import extract
    from history.layout import archived_folder

    settings: Settings = context.obj
    with settings.history() as history:
        count = extract(history, year)
        folder = history.location.relative(archived_folder(history.path, year))
    print(f"{folder}: {counted(count, 'run')}; `history build` takes them in.")
