"""The command line: `python -m course COMMAND`."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from core import environment
from core.errors import UsageError
from core.files import write_atomic
from course import begin, check, classroom, doctor, lesson, orchard, page, show, solve
from course import watch as watching
from course.copy import Copy
from course.teacher import cli as teacher
from scripts import console

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
Number = Annotated[int, typer.Argument(metavar="N", help="The lesson's number.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def options(
    context: typer.Context,
    repo: Annotated[Path, typer.Option(help="The copy's root.")] = Path(),
    owner: Annotated[
        str,
        typer.Option(
            envvar="GITHUB_REPOSITORY_OWNER", help="The name that the student has."
        ),
    ] = "",
    salt_file: Annotated[
        Path | None,
        typer.Option(help="The salt of hidden rows; by default that of the class."),
    ] = None,
) -> None:
    """Learn with a copy of this repository, lesson by lesson."""
    hidden_salt = salt_file.read_text("utf-8").strip() if salt_file else ""
    context.obj = Copy(repo, classroom.load().salt, hidden_salt, owner)


@app.command()
def start(
    context: typer.Context,
    number: Annotated[
        int | None,
        typer.Argument(metavar="[N]", help="A lesson to prepare.", show_default=False),
    ] = None,
    student: Annotated[
        str, typer.Option(help="Your name on GitHub: everything is drawn from it.")
    ] = "",
) -> None:
    """Begin the course in this copy, or prepare a lesson of it."""
    copy: Copy = context.obj
    if number is not None:
        with Console(stderr=True).status("") as progress:
            lines = begin.prepare(copy, number, progress.update)
        print("\n".join(lines))
        return
    if not student:
        raise UsageError("say who you are: `python -m course start --student NAME`.")
    paths = " ".join(begin.begin(copy, student))
    _show_findings(copy)
    print(f"In each new terminal, activate the environment:\n  {_activation()}")
    print(f"Wrote {paths}. Now commit and push:")
    print(f'  git add {paths}\n  git commit -m "chore: begin the course"\n  git push')


def _activation() -> str:
    """Return the command that puts this Python and its packages first."""
    prefix = Path(sys.prefix)
    if os.name == "nt":
        return str(prefix / "Scripts" / "activate.ps1")
    return f". {prefix / 'bin' / 'activate'}"


def _show_findings(copy: Copy) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("", "what", "seen", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in doctor.examine(copy.root):
        word = "ok" if finding.ok else "missing" if finding.needed else "note"
        remedy = "" if finding.ok else finding.remedy
        table.add_row(word, finding.name, finding.seen, remedy)
    Console(highlight=False).print(table)


@app.command(name="check")
def check_lesson(context: typer.Context, number: Number, as_json: Json = False) -> None:
    """Check a lesson: exit status 0 if it is done, 1 if not, 3 if it needs another machine."""
    copy: Copy = context.obj
    chosen = lesson.get(number)
    with Console(stderr=True).status("") as progress:
        results = check.run_all(chosen.checks, copy, progress.update)
    if as_json:
        print(json.dumps(show.to_json(chosen, results), ensure_ascii=False))
    else:
        show.show(chosen, results)
    raise typer.Exit(show.status(results))


@app.command()
def status(
    context: typer.Context,
    students: Annotated[
        Path | None,
        typer.Argument(metavar="[ROSTER.csv]", help="A class, as its teacher has it."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The folder of the class, as for collect.")
    ] = Path("grades"),
    as_json: Json = False,
) -> None:
    """Check all lessons, and print where you are; the exit status is always 0."""
    if students:
        teacher.status_of(students, out)
        return
    copy: Copy = context.obj
    sheet = []
    with Console(stderr=True).status("") as progress:
        for each in lesson.every():
            progress.update(f"lesson {each.number}")
            sheet.append((each, check.run_all(each.checks, copy, progress.update)))
    if as_json:
        content = [show.to_json(each, results) for each, results in sheet]
        print(json.dumps(content, ensure_ascii=False))
    else:
        show.show_sheet(sheet)


@app.command()
def hint(
    number: Number,
    place: Annotated[
        int, typer.Argument(metavar="[WHICH]", help="Which hint, from 1.")
    ] = 1,
) -> None:
    """Print a hint for a lesson; the second and third say more than the first."""
    print(page.hint(lesson.get(number), place))


@app.command(name="solve")
def solve_lesson(
    context: typer.Context,
    number: Number,
    patch: Annotated[
        bool,
        typer.Option("--patch", help="Print the changes instead of making them."),
    ] = False,
) -> None:
    """Solve a lesson in this copy, in commits that are marked as a solution."""
    copy: Copy = context.obj
    chosen = lesson.get(number)
    with Console(stderr=True).status(f"solving lesson {number}"):
        if patch:
            text = solve.patch(copy, chosen)
        else:
            text = solve.solve(copy, chosen)
    print(text)


@app.command()
def data(
    context: typer.Context,
    season: Annotated[
        int, typer.Option(min=1, max=2, help="The season of the orchard.")
    ] = 1,
) -> None:
    """Write the table of your orchard as CSV, and print what its columns are."""
    copy: Copy = context.obj
    folder = copy.root / "build" / "course"
    file = folder / f"season-{season}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, copy.orchard.csv(season))
    print(orchard.sheet())
    shown = file.relative_to(copy.root).as_posix()
    print(f"Wrote {shown}: {orchard.ROWS} rows.")


@app.command()
def watch(
    context: typer.Context,
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[N]", help="The lesson.", show_default="the first that is not done"
        ),
    ] = None,
) -> None:
    """Check a lesson whenever a file of the copy changes, until Ctrl-C."""
    watching.watch(context.obj, number)


teacher.register(app)


def main() -> None:
    """Run the command line; an error is one sentence and an exit status."""
    environment.prepare()
    sys.exit(console.run(app))
