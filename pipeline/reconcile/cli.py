"""The command `pipeline reconcile`."""

import re
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UsageError
from history.cli_build import MetricsHost, MetricsPort
from pipeline.release.cli import promote_release
from pipeline.repo import Repo

UNITS = {
    "": 1,
    "s": 1,
    "m": 60,
    "h": 3600,
}
Once = Annotated[bool, typer.Option("--once", help="Make one pass.")]
Every = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="Make a pass every 60s, 5m or 1h."),
]
Remote = Annotated[
    str,
    typer.Option(
        envvar="MLOPS_RELEASES",
        help="The repository to follow: a remote or an address.",
    ),
]
Branch = Annotated[
    str | None,
    typer.Option(
        envvar="MLOPS_RELEASES_BRANCH",
        help="The branch to follow.",
        show_default="the remote's default branch",
    ),
]
Models = Annotated[
    Path, typer.Option(envvar="API_MODELS", help="The folder that the API serves.")
]
Api = Annotated[str, typer.Option(help="The address of the API.")]
Wait = Annotated[str, typer.Option(metavar="DURATION", help="Time to become healthy.")]
Signers = Annotated[
    Path | None,
    typer.Option(
        envvar="MLOPS_SIGNERS",
        metavar="FILE",
        help="SSH keys of allowed signers: a release must be signed by one.",
    ),
]
_DURATION = re.compile(r"(\d+)([smh]?)")


def add_commands(app: typer.Typer) -> None:
    """Add the commands that follow and promote releases."""
    app.command()(reconcile)
    app.command()(promote_release)


def seconds_of(text: str, option: str) -> int:
    """Return the seconds of a duration such as `60s`, `5m` or `1h`.

    Raises:
        UsageError: it is none, or zero.
    """
    match = _DURATION.fullmatch(text)
    seconds = 0
    if match:
        seconds = int(match[1]) * UNITS[match[2]]
    if not seconds:
        raise UsageError(f"{option} {text}: give a duration such as 60s, 5m or 1h.")
    return seconds


def reconcile(
    context: typer.Context,
    once: Once = False,
    every: Every = None,
    remote: Remote = "origin",
    branch: Branch = None,
    models: Models = Path("deployment/models"),
    api: Api = "http://127.0.0.1:8000",
    wait: Wait = "60s",
    signers: Signers = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
) -> None:
    """Serve the release that a branch declares, and go back if it is not healthy."""
    from pipeline.reconcile import follow
    from pipeline.reconcile.commit_status import CommitStatus
    from pipeline.reconcile.metrics import Metrics
    from pipeline.reconcile.settings import Settings

    _require_usable(once, every, signers)
    repo: Repo = context.obj
    settings = Settings(
        address=follow.address_of(repo, remote),
        branch=branch,
        models=repo.root / models,
        api=api,
        wait_seconds=seconds_of(wait, "--wait"),
        signers=signers,
    )
    status = CommitStatus.of(settings.address)
    pause = seconds_of(every, "--every") if every else 0
    state = repo.build / "reconcile"
    with follow.lock(state):
        reconciler = settings.reconciler(state)
        follow.begin_with_models_of(repo, settings.models)
        if pause:
            metrics = Metrics.served(metrics_host, metrics_port)
            follow.follow(reconciler, pause, metrics, status)
        else:
            follow.run_once(reconciler, status)


def _require_usable(once: bool, every: str | None, signers: Path | None) -> None:
    """Check the options that exclude or need something.

    Raises:
        UsageError: they cannot be used like this.
    """
    if once == (every is not None):
        raise UsageError(
            "name either --once or --every: one pass, or one after another."
        )
    if signers and not signers.is_file():
        raise UsageError(f"--signers {signers}: there is no such file.")
