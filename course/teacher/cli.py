"""The teacher's commands of `python -m course`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from course import check, classroom, lesson, show
from course.copy import Copy
from course.teacher import audit, mirror, roster, sheet
from course.teacher.collect import Collection, opened

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
