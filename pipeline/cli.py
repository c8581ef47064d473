"""The command line: `pipeline COMMAND`, or `python -m pipeline COMMAND`."""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.errors import PipelineError
from pipeline.history.cli import app as history
from pipeline.repo import Repo

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(history, name="history", help="Runs as text in Git, and the database made of them.")
say = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
Remote = Annotated[str, typer.Option(help="The remote to publish to.")]
Branch = Annotated[str, typer.Option(help="The branch to publish to.")]
BundleFolder = Annotated[
    Path | None, typer.Option(help="The bundle's folder.", show_default="build/bundle")
]


@app.callback()
def options(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(help="The repository's root.")] = Path(),
) -> None:
    """Train models, judge them, and keep every run and decision in Git."""
    context.obj = Repo.open(repo)


@app.command()
def train(
    context: typer.Context,
    task: Annotated[list[str] | None, typer.Option(help="Only this task; repeatable.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the bundle goes.", show_default="build/bundle")
    ] = None,
) -> None:
    """Fit and judge every task's candidates; write a bundle and touch nothing else."""
    from pipeline.training.train import train as run

    repo: Repo = context.obj
    run(repo, task or [], out or repo.build / "bundle")


@app.command()
def publish(
    context: typer.Context,
    bundle: BundleFolder = None,
    remote: Remote = "origin",
    branch: Branch = "main",
    as_json: Json = False,
) -> None:
    """Judge the bundle against the branch's tip and push runs, models and decision."""
    from pipeline.publishing.publish import publish as run

    repo: Repo = context.obj
    landed = run(repo, bundle or repo.build / "bundle", remote, branch)
    print(json.dumps(landed.as_dict()) if as_json else landed.commit)


@app.command()
def promote(
    context: typer.Context,
    task: Annotated[str, typer.Argument(help="The task whose champion changes.")],
    version: Annotated[
        int | None,
        typer.Option(help="An earlier version to go back to; without it, the bundle's challenger."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the registry.")] = "",
    bundle: BundleFolder = None,
    remote: Remote = "origin",
    branch: Branch = "main",
    as_json: Json = False,
) -> None:
    """Promote by hand: roll back to a version, or overrule the gate's no."""
    from pipeline.publishing.promote import promote as run

    repo: Repo = context.obj
    landed = run(repo, task, version, reason, bundle or repo.build / "bundle", remote, branch)
    print(json.dumps(landed.as_dict()) if as_json else landed.commit)


@app.command()
def report(context: typer.Context) -> None:
    """Write `results/` and the leaderboard anew from the history in this checkout."""
    from pipeline.report import write

    for path in write(context.obj):
        print(path)


def main() -> None:
    """Run the command line; an error is one sentence and an exit status."""
    try:
        app()
    except PipelineError as error:
        _fail(str(error), error.exit_status)
    except OSError as error:
        _fail(_sentence(error), 1)


def _fail(sentence: str, status: int) -> None:
    say.print(f"error: {sentence}", style="red", markup=False, soft_wrap=True)
    sys.exit(status)


def _sentence(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        where = error.filename or "the repository's disk"
        return f"no space is left for {where}: free some and run the command again."
    return f"{error.filename or 'a file'}: {error.strerror or error}."
