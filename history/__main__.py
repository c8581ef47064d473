"""The program `mlflow-history`, for a history that stands on its own."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from core import output
from core.errors import PipelineError, UsageError
from history import address
from history.cli import app
from history.cli_settings import Settings
from history.location import Project

Folder = Annotated[Path, typer.Option(help="The folder of the history.")]
CREATING = ("import", "save")  # the command that creates the folder, by both names


def _show_version(asked: bool) -> None:
    if not asked:
        return
    try:
        print(version("mlflow-history"))
    except PackageNotFoundError:
        print("not installed: run from a checkout")
    raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        callback=_show_version,
        help="Print the version and exit.",
    ),
]


@app.callback()
def options(
    context: typer.Context,
    folder: Folder = Path("mlruns"),
    version: Version = False,
) -> None:
    """Keep MLflow runs as text in Git, and build MLflow's database from them."""
    if not folder.is_dir() and context.invoked_subcommand not in CREATING:
        raise UsageError(
            f"{folder} is not a folder: name the history with --folder, or create it"
            " with `mlflow-history import`."
        )
    context.obj = Settings(
        mlruns=folder, database=Path("build", "mlflow.db"), project=Project()
    )


def main() -> None:
    """Run the command line; an error is one sentence and an exit status."""
    output.prepare()
    address.use_settings()
    try:
        app(prog_name="mlflow-history")
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    except OSError as error:
        place = error.filename or "the disk"
        print(f"error: {place}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
