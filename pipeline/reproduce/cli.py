"""The command `pipeline reproduce`."""

import json
from typing import Annotated

import typer
from rich.console import Console

from history.cli import Json
from pipeline.repo import Repo
from pipeline.verification import open_history

Name = "A run ID or its first characters, TASK (its champion) or TASK@VERSION."


def add_commands(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command()(reproduce)


def reproduce(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="RUN|TASK[@VERSION]", help=Name)],
    here: Annotated[
        bool,
        typer.Option(
            "--here",
            help="Use today's code and packages, and compare predictions, not bytes.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a run again from its commit, lock file and data, and compare every byte.

    The exit status is 0 if nothing differs, and 1 otherwise.
    """
    # These imports take a second, and an unknown option should be reported at once.
    from pipeline.reproduce import again
    from pipeline.reproduce import here as today
    from pipeline.run_finder import RunFinder

    repo: Repo = context.obj
    console = Console(stderr=True, highlight=False)
    with open_history(repo) as history, console.status("") as status:
        recorded = RunFinder(repo, history).one(name)
        if here:
            status.update(f"fitting {recorded.title}")
            result = today.reproduce(repo, recorded)
        else:
            result = again.reproduce(repo, history, recorded, status.update)
    if as_json:
        print(json.dumps(result.to_json()))
    else:
        print("\n".join(result.lines()))
    if not result.is_reproduced:
        raise typer.Exit(1)
