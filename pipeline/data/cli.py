"""`pipeline data`: the tables that the tasks train on."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def options() -> None:
    """Manage the tables that the tasks train on."""


@app.command()
def add(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="The table: .csv, .csv.gz, .parquet or .arff.")
    ],
    task: Annotated[str, typer.Option(help="The task that trains on it.")],
) -> None:
    """Check a table against its task and write it to `data/`, ready to be committed."""
    from pipeline.data.add import add as run

    added = run(context.obj, task, file)
    where = added.path.relative_to(context.obj.root).as_posix()
    print(f"{where}: {added.rows} rows, sha256 {added.digest}")
    if added.before:
        print(
            f"The old snapshot had {added.before} rows: {added.new} rows are new and"
            f" {added.gone} are gone."
        )
    print(f'Now commit it:\n  git add {where}\n  git commit -m "feat: data of {task}"')
