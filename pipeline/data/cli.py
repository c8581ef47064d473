"""`pipeline data`: the tables that the tasks are trained on."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def options() -> None:
    """Put tables into the repository."""


@app.command()
def add(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="A table: .csv, .csv.gz, .parquet or .arff.")
    ],
    task: Annotated[str, typer.Option(help="The task that is trained on it.")],
) -> None:
    """Check a table against its task and write it to `data/`, for you to commit."""
    from pipeline.data.add import add as run

    added = run(context.obj, task, file)
    where = added.path.relative_to(context.obj.root).as_posix()
    print(f"{where}: {added.rows} rows, sha256 {added.digest}")
    if added.before:
        print(
            f"The snapshot before had {added.before} rows: {added.new} are new,"
            f" {added.gone} gone."
        )
    print(f'Now commit it:\n  git add {where}\n  git commit -m "feat: data of {task}"')
