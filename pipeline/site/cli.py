"""The command `pipeline report`."""

from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from pipeline.repo import Repo
from pipeline.verification import open_history


def report(
    context: typer.Context,
    site: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write the history as pages for a browser into this folder instead.",
            show_default="none",
        ),
    ] = None,
    docs: Annotated[
        str,
        typer.Option(
            metavar="LINK",
            help="With --site: a link to the documentation for the top of each page.",
            show_default="none",
        ),
    ] = "",
) -> None:
    """Write `results/` and the leaderboard again from the history in this checkout."""
    repo: Repo = context.obj
    if docs and not site:
        raise UsageError("--docs is a link on the pages of --site: give --site, too.")
    with open_history(repo) as opened:
        if site:
            from pipeline.site import site as pages

            print(pages.write(repo, opened, site, docs))
            return
        from pipeline.report import promoted_runs, write

        promoted_runs.require(opened)
        for path in write(repo, opened):
            print(path)
