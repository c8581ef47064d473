"""The teacher's commands of `python -m course`."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from core.files import write_atomic
from course import check, classroom, lesson, show
from course.copy import Copy
from course.teacher import audit
from course.teacher import class_check as checking
from course.teacher import compare, mirror, reading, roster, sheet
from course.teacher import status as standing
from course.teacher import stick, summary
from course.teacher.collect import Collection, opened

# Reasons of a pair that are printed; the file has all.
SHOWN = 5
Roster = Annotated[
    Path, typer.Argument(metavar="ROSTER.csv", help="A line for each student.")
]
Out = Annotated[Path, typer.Option(help="The folder for mirrors and results.")]
Lessons = Annotated[
    list[int] | None,
    typer.Option("--lesson", help="Only this lesson; may be repeated."),
]
Salt = Annotated[
    Path | None,
    typer.Option(help="The secret salt of hidden draws; by default drawn once."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to a program."""
    app.command()(collect)
    app.command(name="compare")(compare_copies)
    app.command(name="summary", hidden=True)(write_summary)
    app.command(name="stick")(make_stick)
    group = typer.Typer(no_args_is_help=True, help="Prepare a class.")
    group.command(name="check")(class_check)
    app.add_typer(group, name="class")
    app.command(name="audit", hidden=True)(audit_copy)
    app.command(name="fetch", hidden=True)(fetch_copy)


def collect(
    students: Roster,
    out: Out = Path("grades"),
    lessons: Lessons = None,
    salt: Salt = None,
) -> None:
    """Fetch the copies of a class and grade them: grades.csv and a page."""
    collection = _collection(students, out, lessons)
    with opened(out, salt), _progress(len(collection.rows)) as report:
        try:
            collection.run(report)
        finally:
            sheet.write(collection, classroom.load().name)
    print(f"Wrote {out / 'grades.csv'} and {out / 'grades.html'}.")


def _collection(students: Path, out: Path, numbers: list[int] | None) -> Collection:
    rows = roster.read(students)
    chosen = [lesson.get(number) for number in numbers or []]
    return Collection(out, rows, chosen or lesson.every(), datetime.now(UTC))


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], None]]:
    """Show how many students are done, in a terminal."""
    console = Console(stderr=True)
    with Progress(
        console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("copies", total=count)
        yield lambda handle: progress.update(bar, advance=1, description=handle)


def audit_copy(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that the history of a copy was only ever added to."""
    copy: Copy = context.obj
    results = check.run_all(audit.CHECKS, copy, lambda _: None)
    content = {
        "lesson": None,
        "passed": show.status(results) == show.GREEN,
        "status": show.status(results),
        "checks": [show.entry(result) for result in results],
    }
    if as_json:
        print(json.dumps(content, ensure_ascii=False))
    raise typer.Exit(show.status(results))


def fetch_copy(address: str, folder: Path) -> None:
    """Fetch `main` of a copy into a bare repository."""
    mirror.fetch(address, folder)


def compare_copies(students: Roster, out: Out = Path("grades")) -> None:
    """List pairs of collected copies that have more in common than the exercises."""
    rows = roster.read(students)
    materials, left_out = reading.read_all(out, rows)
    result = compare.compare(materials, reading.solutions(out))
    for sentence in left_out:
        print(f"not compared: {sentence}")
    for pair in result.pairs:
        print(f"{pair.one} and {pair.other}: {len(pair.reasons)} in common")
        for reason in pair.reasons[:SHOWN]:
            print(f"  {reason}")
    for group in result.groups[:SHOWN]:
        print(f"{len(group.handles)} copies have {group.reason}")
    path = out / "pairs.csv"
    write_atomic(path, reading.to_csv(result))
    print(f"{len(materials)} copies, {len(result.pairs)} pairs to look at: {path}.")


def class_check(out: Out = Path("grades")) -> None:
    """Check `course/class.yaml`, and solve each lesson once in a copy of this commit."""
    sentences = checking.faults(classroom.load())
    for sentence in sentences:
        print(f"{classroom.FILE}: {sentence}")
    red = bool(sentences)
    with Console(stderr=True).status("") as progress:
        for each, text in checking.solve(out, progress.update):
            red |= text != sheet.PASSED
            print(f"{each.number:>2}  {each.front.title:<38} {text}")
    raise typer.Exit(int(red))


def status_of(students: Path, out: Path) -> None:
    """Collect a class, and print who is stuck where."""
    collection = _collection(students, out, None)
    with opened(out, None), _progress(len(collection.rows)) as report:
        collection.run(report)
    sheet.write(collection, classroom.load().name)
    table = Table(box=None, pad_edge=False)
    for title in ("student", "done", "where"):
        table.add_column(title, overflow="fold")
    for cells in standing.lines(collection):
        table.add_row(*map(escape, cells))
    Console(highlight=False).print(table)


def write_summary(context: typer.Context) -> None:
    """Check all lessons, and write them into the summary of a workflow run.

    The exit status is 1 if the history was altered.
    """
    copy: Copy = context.obj
    results = []
    for each in lesson.every():
        results.append((each, check.run_all(each.checks, copy, lambda _: None)))
    history = check.run_all(audit.CHECKS, copy, lambda _: None)
    text = summary.markdown(results, history)
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(text)
    print(text)
    raise typer.Exit(int(show.status(history) == show.RED))


def make_stick(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Such as that of a stick.")
    ],
) -> None:
    """Write all that a class needs without network, and try it with the network off."""
    with Console(stderr=True).status("") as progress:
        stick.make(folder, progress.update)
        progress.update("trying it without network")
        stick.rehearse(folder, "-s", "course", "--", "hint", "0")
    print(f"{folder} is ready: give it to the students with its README.md.")
