"""`pipeline data`: the tables that the tasks train on."""

from pathlib import Path
from typing import Annotated

import typer

from core.counts import counted

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
    by_dvc: Annotated[
        bool, typer.Option("--dvc", help="Have DVC keep the table in place of Git.")
    ] = False,
) -> None:
    """Check a table against its task and write it to `data/`, ready to be committed."""
    from pipeline.data.add import MANY_BYTES
    from pipeline.data.add import add as run

    added = run(context.obj, task, file, by_dvc)
    where = added.path.relative_to(context.obj.root).as_posix()
    print(f"{where}: {counted(added.rows, 'row')}, sha256 {added.digest}")
    if added.before:
        before = counted(added.before, "row")
        new = counted(added.new, "row is", "rows are")
        gone = counted(added.gone, "is", "are")
        print(f"The old snapshot had {before}: {new} new and {gone} gone.")
    if added.path.stat().st_size > MANY_BYTES and not by_dvc:
        print("GitHub warns of files over 50 MB: `--dvc` has DVC keep the table.")
    files = f"{where}.dvc data/.gitignore" if by_dvc else where
    print(f'Now commit it:\n  git add {files}\n  git commit -m "feat: data of {task}"')
    if by_dvc:
        print(f"And send it to the remote:\n  dvc push {where}.dvc")
