"""The commands `pipeline init` and `pipeline update`."""

from typing import Annotated

import typer

from core.errors import UsageError
from pipeline import console


def init(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Option(help="The project's name.", show_default="the repository's"),
    ] = None,
    holder: Annotated[
        str | None,
        typer.Option(
            help="The holder of the copyright.", show_default="Git's user.name"
        ),
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option(
            help="OWNER/NAME on GitHub, for the badge.", show_default="that of origin"
        ),
    ] = None,
    empty: Annotated[
        bool,
        typer.Option("--empty", help="Start without the template's runs and models."),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="With --empty: remove even runs of your own."),
    ] = False,
) -> None:
    """Make this copy a project of its own, in one commit that is not pushed."""
    from pipeline.copies.init import init as run

    print(run(context.obj, name, holder, repository, empty, yes))
    console.show_message("The project has a new commit: review it, then push it.")


def update(
    context: typer.Context,
    address: Annotated[
        str | None,
        typer.Option(
            "--from", help="The template's address; stored as the remote `template`."
        ),
    ] = None,
    ref: Annotated[
        str | None,
        typer.Option("--to", help="A tag, branch or commit of the template."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The template's commit that this copy was created from."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show the new commits and the conflicts."),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--continue", help="Finish after resolving the conflicts."),
    ] = False,
) -> None:
    """Merge the template's later changes, but not its runs, models, data and results."""
    from pipeline.copies import update as updates

    if resume and (address or ref or base or dry_run):
        raise UsageError(
            "--continue finishes the update in progress: use it without other options."
        )
    if resume:
        print(updates.resume(context.obj).text)
    else:
        print(updates.update(context.obj, address, ref, base, dry_run).text)
