"""The command line: `pipeline COMMAND`, or `python -m pipeline COMMAND`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core import environment, output, renamed
from core.errors import PipelineError
from history.cli import Json
from history.cli import app as history
from history.cli_settings import Settings
from pipeline import console, library_settings
from pipeline.backup import cli as backup
from pipeline.compare import cli as compare
from pipeline.copies import cli as copies
from pipeline.data.cli import app as data
from pipeline.reconcile import cli as reconcile
from pipeline.repo import Repo
from pipeline.reproduce import cli as reproduction
from pipeline.search import cli as searching
from pipeline.shard import Shard
from pipeline.site import cli as site
from pipeline.stages.cli import app as stages
from pipeline.train import cli as training
from pipeline.verification import project
from pipeline.worker import cli as worker

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command()(copies.init)
app.command()(copies.update)
reconcile.add_commands(app)
backup.add_commands(app)
compare.add_commands(app)
reproduction.add_commands(app)
app.command()(training.export)
app.command()(searching.search)
app.command()(site.report)
app.command("serve-worker")(worker.serve_worker)
app.command("trainer", hidden=True)(worker.trainer)
app.add_typer(data, name="data", help="Manage the tables that the tasks train on.")
app.add_typer(stages, name="stage", help="Run one stage of a task's training.")


def history_settings(context: typer.Context) -> None:
    """Let the commands of the history work on this repository."""
    repo: Repo = context.obj
    database = repo.build / "mlflow.db"
    context.obj = Settings(repo.mlruns, database, project(repo))


app.add_typer(
    history,
    name="history",
    callback=history_settings,
    help="Work with the runs in Git, and with the MLflow database built from them.",
)

Remote = Annotated[str, typer.Option(help="The remote to publish to.")]
Branch = Annotated[
    str | None,
    typer.Option(
        help="The branch to publish to; created if it does not exist.",
        show_default="the remote's default branch",
    ),
]
BundleFolder = Annotated[
    Path | None, typer.Option(help="The bundle's folder.", show_default="build/bundle")
]
ShardText = Annotated[
    str,
    typer.Option(
        envvar="MLOPS_SHARD",
        metavar="NUMBER/COUNT",
        help="Train a share of the tasks, such as 1/3, into a folder of its own.",
        show_default="all tasks",
    ),
]


@app.callback()
def options(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(help="The root of the repository.")] = Path(),
) -> None:
    """Train models, compare them, and keep every run and decision in Git."""
    context.obj = Repo.open(repo)
    library_settings.set_up(context.obj.build)


@app.command()
def train(
    context: typer.Context,
    task: Annotated[
        list[str] | None,
        typer.Option(envvar="MLOPS_TASKS", help="Train only this task; repeatable."),
    ] = None,
    out: BundleFolder = None,
    shard: ShardText = "",
    refresh_data: Annotated[
        bool,
        typer.Option(
            "--refresh-data",
            envvar="MLOPS_REFRESH_DATA",
            help="Fetch the data from its sources instead of using the snapshots.",
        ),
    ] = False,
    fresh_data: Annotated[
        bool, typer.Option("--fresh-data", envvar="MLOPS_FRESH_DATA", hidden=True)
    ] = False,
) -> None:
    """Train the candidates of every task, and write a bundle; change nothing else."""
    from pipeline import traces
    from pipeline.train.train import train as run

    share = Shard.parse(shard)
    if fresh_data:
        renamed.notice(
            "--fresh-data (MLOPS_FRESH_DATA)", "--refresh-data (MLOPS_REFRESH_DATA)"
        )
    repo: Repo = context.obj
    folder = out or repo.build / "bundle"
    if share and not out:
        folder /= str(share.number)
    with traces.command("train", task or []):
        run(repo, task or [], folder, refresh_data or fresh_data, share)


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
    """Compare the bundle with the champions, and push runs, models and decisions."""
    from pipeline import traces
    from pipeline.publish.publish import publish as run

    repo: Repo = context.obj
    folder = bundle or repo.build / "bundle"
    with traces.command("publish", []) as span:
        commit, message = run(repo, folder, remote, branch, dry_run)
        span.set_attribute("commit", commit)
    console.show_publication(commit, message, as_json)


@app.command()
def promote(
    context: typer.Context,
    task: Annotated[
        str,
        typer.Argument(metavar="TASK", help="The task whose champion to change."),
    ],
    version: Annotated[
        int | None,
        typer.Option(
            help="The version to go back to.", show_default="the previous one"
        ),
    ] = None,
    reason: Annotated[
        str, typer.Option(help="The reason, which is kept in the registry.")
    ] = "",
    remote: Remote = "origin",
    branch: Branch = None,
    as_json: Json = False,
) -> None:
    """Put an earlier version of a model back into service, and publish the change."""
    from pipeline import traces
    from pipeline.publish.promote import promote as run

    with traces.command("promote", [task]) as span:
        commit, message = run(context.obj, task, version, reason, remote, branch)
        span.set_attribute("commit", commit)
    console.show_publication(commit, message, as_json)


@app.command()
def drift(
    context: typer.Context,
    task: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TASK]...", help="The tasks; by default all in service."
        ),
    ] = None,
    api: Annotated[
        str, typer.Option(help="The address of the API.")
    ] = "http://127.0.0.1:8000",
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write to.", show_default="build/drift"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the drift of tasks in service, and save the API's dashboard as a page."""
    from pipeline.report.drift import write

    folder = out or context.obj.build / "drift"
    for answer, path in write(api.rstrip("/"), task or [], folder):
        if as_json:
            print(json.dumps(answer))
            continue
        verdict = answer["verdict"]
        if answer["drifted"]:
            verdict += f" in {', '.join(answer['drifted'])}"
        print(f"{answer['task']}: {verdict}; {path}")


def main() -> None:
    """Run the command line; an error is one sentence and an exit status."""
    output.prepare()
    environment.prepare()
    try:
        app()
    except (PipelineError, OSError) as error:
        console.fail(error)
