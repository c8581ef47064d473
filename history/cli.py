"""The commands of a history: `mlflow-history COMMAND`, or `pipeline history COMMAND`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core import renamed
from core.counts import counted
from core.errors import PipelineError
from history import cli_archive, cli_build, importer, prune, queries, runfile, text
from history.advice import advice
from history.cli_settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Source = Annotated[
    str,
    typer.Option(
        "--from", metavar="URI", help="sqlite:///FILE, DIR or http://HOST:PORT"
    ),
]
RunIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN_ID]...", help="All if none is named."),
]


app.command("archive")(cli_archive.archive_year)
app.command("build")(cli_build.build_database)
app.command("extract")(cli_archive.extract_year)
app.command("watch")(cli_build.watch_history)
app.command("restore", hidden=True)(cli_build.restore_database)


@app.command("import")
def import_runs(
    context: typer.Context,
    source: Source,
    run_ids: RunIds = None,
) -> None:
    """Import runs of an MLflow store or server, ready to be committed."""
    settings: Settings = context.obj
    with settings.history() as history:

        def show(folder: Path) -> None:
            print(history.location.relative(folder), flush=True)

        importer.import_runs(source, history, run_ids, _notice, show)


@app.command("save", hidden=True)
def save_runs(
    context: typer.Context,
    source: Source,
    run_ids: RunIds = None,
) -> None:
    """Import runs: the former name."""
    renamed.notice("`history save`", "`history import`")
    import_runs(context, source, run_ids)


@app.command("export")
def export_runs(
    context: typer.Context,
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="A folder that is empty or new."),
    ],
) -> None:
    """Write the history as the file store (`mlruns/`) that MLflow up to 3.12 opens.

    The reverse of `import`. `mlflow migrate-filestore --source DIR` converts it for
    later versions.
    """
    from history.export import export

    settings: Settings = context.obj
    with settings.history() as history:
        result = export(history, to, _notice)
    runs = counted(result.runs, "run")
    versions = counted(result.versions, "version of a model", "versions of models")
    print(f"{to}: {runs}, {versions}.")
    if result.left_out:
        left_out = counted(len(result.left_out), "run is", "runs are")
        raise PipelineError(f"{left_out} left out, see above.")


@app.command("verify")
def verify_history(context: typer.Context, as_json: Json = False) -> None:
    """Check every file, digest, address, link and number; name each fault's file.

    In a Git repository also check that every run and promotion is as it was first
    committed, and that a clone gets the same files.
    """
    settings: Settings = context.obj
    with settings.history() as history:
        faults = history.verify(notice=_notice)
        if as_json:
            print(json.dumps([fault._asdict() for fault in faults]))
        elif faults:
            print("\n".join(map(str, faults)))
        else:
            print(f"{counted(len(history), 'run')}, no fault.")
        if faults:
            remedy = advice(history.location, faults)
            count = counted(len(faults), "fault")
            raise PipelineError(f"the history has {count}: {remedy}.")


@app.command("prune", help=prune.__doc__)
def prune_history(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be deleted.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete old run folders by the policy in the docstring of `prune`."""
    settings: Settings = context.obj
    with settings.history() as history:
        folders = prune.prune(history, dry_run=dry_run)
        paths = [history.location.relative(folder) for folder in folders]
    if as_json:
        print(json.dumps(paths))
        return
    for path in paths:
        print(path)
    if dry_run:
        print(f"{counted(len(paths), 'run')} would be deleted.")
    else:
        deleted = counted(len(paths), "run was deleted", "runs were deleted")
        print(f"{deleted}; commit that.")


@app.command("list")
def list_runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="The number of runs.")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest runs."""
    settings: Settings = context.obj
    with settings.history() as history:
        runs = history.newest(limit)
        if as_json:
            contents = [json.loads(runfile.dump(run)) for run in runs]
            print(json.dumps(contents))
            return
        versions = queries.versions_by_run(history.path)
    _print(text.run_table(runs, versions))


@app.command("show")
def show_run(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(help="A run ID, or its first characters.")],
    as_json: Json = False,
) -> None:
    """Show all of one run."""
    settings: Settings = context.obj
    with settings.history() as history:
        run = history.run(run_id)
        if as_json:
            print(runfile.dump(run), end="")
            return
        folder = history.folder(run.run_id)
        place = history.location.relative(folder)
        versions = queries.versions_by_run(history.path)
    titles = versions.get(run.run_id, [])
    _print(text.run_page(run, place, titles))


def _print(page: str) -> None:
    """Print text that may hold square brackets, fitted to the terminal."""
    Console().print(page, end="", markup=False, highlight=False, emoji=False)


def _notice(sentence: str) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(sentence, markup=False, emoji=False, soft_wrap=True)
