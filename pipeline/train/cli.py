"""The command `pipeline export`."""

from typing import Annotated, Literal

import typer

from pipeline import console


def export(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task whose model to export.")
    ],
    algorithm: Annotated[
        str | None,
        typer.Option(
            help="Export the best run of this algorithm.", show_default="the champion"
        ),
    ] = None,
    form: Annotated[
        Literal["onnx", "joblib"], typer.Option("--format", help="The file format.")
    ] = "onnx",
) -> None:
    """Train a model again from its run, check it, and write it to `models/`."""
    from pipeline.train import export_run

    exported = export_run.export(context.obj, task, algorithm, form)
    print(
        f"{exported.path}: run {exported.run.run_id}; the model {exported.comparison}."
    )
    if form == "joblib":
        console.show_message(export_run.WARNING)
