"""The commands that build MLflow's database and keep it up to date."""

from typing import Annotated

import typer

from core import renamed
from core.errors import UsageError
from history import bucket_address, build
from history.artifacts import ArtifactStore
from history.cli_settings import Settings
from history.postgres_address import EXAMPLE, parse

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="FILE|URI",
        envvar="MLOPS_STORE",
        help=f"The SQLite file, or {EXAMPLE}.",
        show_default="build/mlflow.db",
    ),
]
Artifacts = Annotated[
    str | None,
    typer.Option(
        metavar=bucket_address.EXAMPLE,
        envvar="MLOPS_ARTIFACTS",
        help="Copy the files of the runs into this bucket, too.",
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Serve metrics for Prometheus on this port."),
]
MetricsHost = Annotated[str, typer.Option(help="The address of that port.")]


def build_database(
    context: typer.Context,
    db: Database = None,
    artifacts: Artifacts = None,
) -> None:
    """Build MLflow's database from the files, or bring it up to date with them."""
    settings: Settings = context.obj
    store = _artifact_store(settings, artifacts)
    target = settings.target(db)
    change = build.build_database(settings.mlruns, target)
    name = parse(target).name if isinstance(target, str) else target
    print(f"{name}: {change}")
    if store:
        store.synchronize(print)


def watch_history(
    context: typer.Context,
    db: Database = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    artifacts: Artifacts = None,
) -> None:
    """Keep MLflow's database up to date with the files until interrupted."""
    from history.metrics import Exporter
    from history.watch import watch

    settings: Settings = context.obj
    exporter = Exporter()
    if metrics_port:
        exporter.serve(metrics_host, metrics_port)
    watch(
        settings.mlruns,
        settings.target(db),
        exporter=exporter,
        artifacts=_artifact_store(settings, artifacts),
    )


def _artifact_store(settings: Settings, address: str | None) -> ArtifactStore | None:
    if not address:
        return None
    return ArtifactStore(settings.mlruns, address)


def restore_database(
    context: typer.Context,
    db: Database = None,
    watch: Annotated[bool, typer.Option("--watch")] = False,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
) -> None:
    """Build or watch: the former name of both."""
    if watch:
        renamed.notice("`history restore --watch`", "`history watch`")
        watch_history(context, db, metrics_port, metrics_host)
        return
    if metrics_port:
        raise UsageError("--metrics-port belongs to `history watch`.")
    renamed.notice("`history restore`", "`history build`")
    build_database(context, db)
