"""The command `pipeline diff`."""

from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from history.cli import Json
from pipeline.console import show_message
from pipeline.repo import Repo
from pipeline.verification import open_history

Name = "A run ID or its first characters, TASK, TASK@VERSION or a commit."
First = Annotated[str, typer.Argument(metavar="A", help=Name)]
Second = Annotated[str, typer.Argument(metavar="B", help="The same.")]


def add_commands(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command()(diff)


def diff(
    context: typer.Context,
    a: First,
    b: Second,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Also write a page with the plots."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two runs: parameters, data, metrics, and the predictions that changed most.

    TASK is its champion. A commit is what was trained at it, or else the models that
    were in service in it.
    """
    # These imports take a second, and an unknown option should be reported at once.
    from pipeline.compare import page, text
    from pipeline.compare.compare import compare
    from pipeline.compare.comparison import to_json

    if html and html.is_dir():
        raise UsageError(f"{html} is a folder: name a file for the page.")
    repo: Repo = context.obj
    with open_history(repo) as history:
        comparisons = compare(repo, history, a, b)
    if as_json:
        print(to_json(comparisons))
    else:
        console = text.new_console()
        for comparison in comparisons:
            text.show(console, comparison)
            console.print()
    if html:
        page.write(html, comparisons)
        show_message(f"{html}: the same as a page, with the plots side by side.")
