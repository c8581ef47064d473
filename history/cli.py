"""`pipeline history COMMAND`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.errors import PipelineError, UsageError
from history import build, importer, layout, prune, queries, runfile, verify, witness
from pipeline.repo import Repo

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
POLL_SECONDS = 5


@app.command("restore")
def restore_database(
    context: typer.Context,
    db: Annotated[
        Path | None, typer.Option(help="The database.", show_default="build/mlflow.db")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Go on, and follow every change of the files."),
    ] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="With --watch: what Prometheus scrapes."),
    ] = None,
    metrics_host: Annotated[
        str, typer.Option(help="The address of that port.")
    ] = "127.0.0.1",
) -> None:
    """Build MLflow's database from the files, or bring it up to them."""
    repo: Repo = context.obj
    database = db or repo.build / "mlflow.db"
    if metrics_port and not watch:
        raise UsageError(
            "--metrics-port goes with --watch alone: add that, or leave it out."
        )
    if watch:
        from history.metrics import Exporter

        exporter = Exporter()
        if metrics_port:
            exporter.serve(metrics_host, metrics_port)
        build.watch(repo.mlruns, database, POLL_SECONDS, exporter)
    print(f"{database}: {build.restore(repo.mlruns, database)}")


@app.command("save")
def save_runs(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="URI", help="sqlite:///FILE, DIR or http://HOST:PORT"
        ),
    ],
    run_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN_ID]...", help="Without any: all."),
    ] = None,
) -> None:
    """Write runs of an MLflow store or server into the history, ready to be committed."""
    repo: Repo = context.obj

    def saved(folder: Path) -> None:
        print(folder.relative_to(repo.root).as_posix(), flush=True)

    importer.save(source, run_ids, repo.mlruns, _notice, saved)


@app.command("export")
def export_runs(
    context: typer.Context,
    to: Annotated[
        Path,
        typer.Option(
            "--to", metavar="DIR", help="A folder that is empty or not there."
        ),
    ],
) -> None:
    """Write the history as the file store (`mlruns/`) that MLflow up to 3.12 opens.

    The reverse of `save`. `mlflow migrate-filestore --source DIR` takes it on to later
    versions.
    """
    from history.export import export

    repo: Repo = context.obj
    exported = export(repo.mlruns, to, _notice)
    print(f"{to}: {exported.runs} runs, {exported.versions} versions of models.")
    if exported.left_out:
        raise PipelineError(f"{len(exported.left_out)} runs are left out, see above.")


@app.command("verify")
def verify_history(context: typer.Context, as_json: Json = False) -> None:
    """Check every file, digest, address, link and number; name each fault with its
    file.

    In a Git repository also whether each run and promotion is as it was first
    committed, and whether a clone gets what lies here.
    """
    repo: Repo = context.obj
    faults = verify.verify(repo, notice=_notice)
    if as_json:
        print(json.dumps([fault._asdict() for fault in faults]))
    elif faults:
        print("\n".join(map(str, faults)))
    else:
        print(f"{len(layout.run_days(repo.mlruns))} runs, no fault.")
    if faults:
        raise PipelineError(
            f"the history has {len(faults)} faults: {witness.advice(repo, faults)}."
        )


@app.command("prune", help=prune.__doc__)
def prune_history(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would go.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete old run folders by the policy that `prune` states."""
    repo: Repo = context.obj
    gone = prune.prune(repo.mlruns, dry_run=dry_run)
    paths = [path.relative_to(repo.root).as_posix() for path in gone]
    said = f"{len(paths)} runs {'would go' if dry_run else 'are gone; commit that'}."
    print(json.dumps(paths) if as_json else "\n".join([*paths, said]))


@app.command("list")
def list_runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs."""
    repo: Repo = context.obj
    runs = queries.newest(repo.mlruns, limit)
    if as_json:
        print(json.dumps([json.loads(runfile.dump(run)) for run in runs]))
    else:
        Console().print(queries.run_table(runs, queries.promotions(repo.mlruns)))


@app.command("show")
def show_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="A run id, or how it starts.")],
    as_json: Json = False,
) -> None:
    """Show all of one run."""
    repo: Repo = context.obj
    folder = queries.find(repo.mlruns, run_id)
    run = runfile.load(folder / layout.RUN_FILE)
    if as_json:
        print(runfile.dump(run), end="")
        return
    became = queries.promotions(repo.mlruns).get(run.run_id, [])
    Console().print(queries.run_page(run, folder.relative_to(repo.root), became))


def _notice(sentence: str) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(sentence, markup=False, emoji=False, soft_wrap=True)
