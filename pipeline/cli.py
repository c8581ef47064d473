"""The command line: `pipeline COMMAND`, or `python -m pipeline COMMAND`."""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from core import environment, output
from core.errors import PipelineError
from history.cli import Json
from history.cli import app as history
from pipeline import library_settings
from pipeline.copies import cli as copies
from pipeline.data.cli import app as data
from pipeline.repo import Repo

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command()(copies.init)
app.command()(copies.update)
app.add_typer(data, name="data", help="The tables that the tasks are trained on.")
app.add_typer(
    history, name="history", help="Runs as text in Git, and the database made of them."
)

Remote = Annotated[str, typer.Option(help="The remote to publish to.")]
Branch = Annotated[
    str | None,
    typer.Option(
        help="The branch to publish to; created if it is not there.",
        show_default="the remote's default branch",
    ),
]
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
    library_settings.set_up(context.obj.build)


@app.command()
def train(
    context: typer.Context,
    task: Annotated[
        list[str] | None,
        typer.Option(envvar="MLOPS_TASKS", help="Only this task; repeatable."),
    ] = None,
    out: BundleFolder = None,
    fresh_data: Annotated[
        bool,
        typer.Option(
            "--fresh-data", envvar="MLOPS_FRESH_DATA", help="Read the sources anew."
        ),
    ] = False,
) -> None:
    """Fit and judge every task's candidates; write a bundle and touch nothing else."""
    from pipeline import traces
    from pipeline.train.train import train as run

    with traces.command("train", task or []):
        run(context.obj, task or [], out or context.obj.build / "bundle", fresh_data)


@app.command()
def publish(
    context: typer.Context,
    bundle: BundleFolder = None,
    remote: Remote = "origin",
    branch: Branch = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Make the commit, but do not push it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Judge the bundle against the branch's tip and push runs, models and decision."""
    from pipeline import traces
    from pipeline.publish.publish import publish as run

    folder = bundle or context.obj.build / "bundle"
    with traces.command("publish", []) as span:
        commit, message = run(context.obj, folder, remote, branch, dry_run)
        span.set_attribute("commit", commit)
    _tell(commit, message, as_json)


@app.command()
def promote(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task whose champion changes.")
    ],
    version: Annotated[
        int | None,
        typer.Option(help="The version to go back to.", show_default="the one before"),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the registry.")] = "",
    remote: Remote = "origin",
    branch: Branch = None,
    as_json: Json = False,
) -> None:
    """Put an earlier version back into service: a promotion by hand, published like any
    other.
    """
    from pipeline import traces
    from pipeline.publish.promote import promote as run

    with traces.command("promote", [task]) as span:
        commit, message = run(context.obj, task, version, reason, remote, branch)
        span.set_attribute("commit", commit)
    _tell(commit, message, as_json)


@app.command()
def export(
    context: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="The task that the model is for.")
    ],
    algorithm: Annotated[
        str | None,
        typer.Option(
            help="The best run of this algorithm.", show_default="the champion"
        ),
    ] = None,
    form: Annotated[
        Literal["onnx", "joblib"], typer.Option("--format", help="The kind of file.")
    ] = "onnx",
) -> None:
    """Make a model again from its run, check it and write it with its metadata into
    `models/`.
    """
    from pipeline.train import remake

    made = remake.export(context.obj, task, algorithm, form)
    print(f"{made.path}: run {made.run.run_id}; it {made.compared}.")
    if form == "joblib":
        Console(stderr=True).print(remake.WARNING, soft_wrap=True)


@app.command()
def report(context: typer.Context) -> None:
    """Write `results/` and the leaderboard anew from the history in this checkout."""
    from pipeline.report import write

    for path in write(context.obj):
        print(path)


@app.command()
def drift(
    context: typer.Context,
    task: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK]...", help="Without any: all in service."),
    ] = None,
    api: Annotated[
        str, typer.Option(help="The API's address.")
    ] = "http://127.0.0.1:8000",
    out: Annotated[
        Path | None, typer.Option(help="The pages' folder.", show_default="build/drift")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw what the running API says of drift: a page a task."""
    from pipeline.report.drift import write

    for found, path in write(
        api.rstrip("/"), task or [], out or context.obj.build / "drift"
    ):
        where = f" in {', '.join(found['drifted'])}" if found["drifted"] else ""
        said = f"{found['task']}: {found['verdict']}{where}; {path}"
        print(json.dumps(found) if as_json else said)


@app.command()
def trainer(
    context: typer.Context,
    host: Annotated[str, typer.Option(envvar="TRAINER_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="TRAINER_PORT", min=1, max=65535)] = 8001,
    state: Annotated[
        Path,
        typer.Option(envvar="TRAINER_STATE", help="The folder that the API reads."),
    ] = Path("build/serving"),
) -> None:
    """Serve the API what needs scikit-learn, MLflow or SHAP: explanations and jobs."""
    from pipeline.worker.server import serve

    serve(context.obj, state, host, port)


def main() -> None:
    """Run the command line; an error is one sentence and an exit status."""
    output.prepare()
    environment.prepare()
    try:
        app()
    except PipelineError as error:
        _fail(str(error), error.exit_status)
    except OSError as error:
        where = error.filename or "the disk"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            _fail(f"{where}: no space is left; free some and run the command again.", 1)
        _fail(f"{where}: {error.strerror or error}.", 1)


def _tell(commit: str, message: str, as_json: bool) -> None:
    print(json.dumps({"commit": commit, "message": message}) if as_json else commit)
    if not as_json:
        Console(stderr=True).print(
            message.partition("\n\nMlops-")[0], markup=False, soft_wrap=True
        )


def _fail(sentence: str, status: int) -> None:
    console = Console(stderr=True, highlight=False)
    text = f"error: {sentence}"
    console.print(text, style="red", markup=False, emoji=False, soft_wrap=True)
    sys.exit(status)
