"""The commands `pipeline backup` and `pipeline restore-backup`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from core.counts import counted
from core.errors import UsageError
from pipeline.backup import backup as backups
from pipeline.backup import places
from pipeline.backup.docker import Engine
from pipeline.backup.in_bucket import SCHEME, BackupBucket
from pipeline.repo import Repo

Local = Annotated[
    bool, typer.Option("--local", help="The stack that runs without Docker.")
]


def add_commands(app: typer.Typer) -> None:
    """Add the two commands to a command line."""
    app.command()(backup)
    app.command("restore-backup")(restore_backup)


def backup(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(metavar="DIR|s3://…", help="A folder or prefix that is new."),
    ],
    local: Local = False,
) -> None:
    """Copy what Git does not hold: logged runs, predictions, dashboards, metrics.

    The stack may run meanwhile; only Prometheus is stopped while it is copied.
    """
    repo: Repo = context.obj
    chosen = _places(repo, local)
    if not local:
        for sentence in places.left_out(repo):
            _print(sentence)
    if target.startswith(SCHEME):
        bucket = BackupBucket(target)
        bucket.require_empty()
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            copy = Path(folder, "backup")
            contents = backups.make(repo, chosen, copy, _print)
            bucket.upload(copy)
    else:
        contents = backups.make(repo, chosen, Path(target), _print)
    print(f"{target}: {counted(len(contents.archives), 'archive')}.")


def restore_backup(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="DIR|s3://…", help="Where the backup is.")
    ],
    local: Local = False,
) -> None:
    """Write a backup into a stack that is stopped and empty; start it afterwards."""
    repo: Repo = context.obj
    if not local:
        running = Engine.find(repo.root).running()
        if running:
            raise UsageError(
                f"the stack is running ({', '.join(running)}): stop it first with"
                " `docker compose down`."
            )
    chosen = _places(repo, local)
    if source.startswith(SCHEME):
        with BackupBucket(source).downloaded() as folder:
            contents = backups.restore(chosen, folder, _print)
    else:
        contents = backups.restore(chosen, Path(source), _print)
    print(f"The backup of {contents.created} is restored: start the stack.")


def _places(repo: Repo, local: bool) -> list[places.Place]:
    if local:
        return places.of_processes(repo)
    return places.of_containers(repo)


def _print(sentence: str) -> None:
    print(sentence, flush=True)
