"""The command `pipeline serve-worker`."""

from pathlib import Path
from typing import Annotated

import typer

from core import renamed

Host = Annotated[
    str, typer.Option(envvar="TRAINER_HOST", help="The address to listen on.")
]
Port = Annotated[
    int,
    typer.Option(
        envvar="TRAINER_PORT", min=1, max=65535, help="The port to listen on."
    ),
]
State = Annotated[
    Path,
    typer.Option(envvar="TRAINER_STATE", help="The folder shared with the API."),
]


def serve_worker(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8001,
    state: State = Path("build/serving"),
) -> None:
    """Serve explanations and training jobs to the API."""
    from pipeline.worker.server import serve

    serve(context.obj, state, host, port)


def trainer(
    context: typer.Context,
    host: Host = "127.0.0.1",
    port: Port = 8001,
    state: State = Path("build/serving"),
) -> None:
    """Serve the worker, under its old name."""
    renamed.notice("`pipeline trainer`", "`pipeline serve-worker`")
    serve_worker(context, host, port, state)
