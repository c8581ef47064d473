"""The teacher's commands of `python -m course`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from core.counts import counted
from core.files import write_atomic
from course import classroom, lesson
from course.teacher import class_check as checking
from course.teacher import compare, image, programs, reading, roster, sheet
from course.teacher import status as standing
from course.teacher import stick
from course.teacher.collect import Collection, opened
from course.teacher.compare import Comparison
from course.teacher.image import Choice

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
    app.command(name="stick")(make_stick)
    group = typer.Typer(no_args_is_help=True, help="Prepare a class.")
    group.command(name="check")(class_check)
    app.add_typer(group, name="class")
    programs.register(app)


def collect(
    students: Roster,
    out: Out = Path("grades"),
    lessons: Lessons = None,
    salt: Salt = None,
) -> None:
    """Fetch the copies of a class and grade them: grades.csv and a page."""
    collection = _collection(students, out, lessons or [])
    _collect(collection, salt)
    table = out / sheet.TABLE
    page = out / sheet.PAGE
    print(f"Wrote {table} and {page}.")


def _collection(students: Path, out: Path, numbers: Sequence[int]) -> Collection:
    rows = roster.read(students)
    lessons = lesson.every()
    if numbers:
        lessons = list(map(lesson.get, numbers))
    return Collection(
        out,
        rows,
        lessons,
        datetime.now(UTC),
        _choice(),
    )


def _choice() -> Choice:
    """Choose where programs of the copies run, and say so."""
    console = Console(stderr=True)
    with console.status("looking for Docker") as progress:
        choice = image.choose(progress.update)
    console.print(
        choice.sentence,
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    return choice


def _collect(collection: Collection, salt: Path | None) -> None:
    """Fetch and grade the copies, and write the sheet, also if it is interrupted."""
    count = len(collection.rows)
    room = classroom.load()
    with opened(collection.folder, salt), _progress(count) as report:
        try:
            collection.run(report)
        finally:
            sheet.write(collection, room.name)


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], None]]:
    """Show how many students are done, in a terminal."""
    console = Console(stderr=True)
    with Progress(
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("copies", total=count)

        def report(handle: str) -> None:
            progress.update(bar, advance=1, description=handle)

        yield report


def compare_copies(students: Roster, out: Out = Path("grades")) -> None:
    """List pairs of collected copies that have more in common than the exercises."""
    rows = roster.read(students)
    materials, left_out = reading.read_all(out, rows)
    solutions = reading.solutions(out)
    result = compare.compare(materials, solutions)
    for sentence in left_out:
        print(f"not compared: {sentence}")
    _print_pairs(result)
    path = out / "pairs.csv"
    table = reading.to_csv(result)
    write_atomic(path, table)
    copies = counted(len(materials), "copy", "copies")
    pairs = counted(len(result.pairs), "pair")
    print(f"{copies}, {pairs} to look at: {path}.")


def _print_pairs(result: Comparison) -> None:
    """Print the first reasons of each pair, and the first groups."""
    for pair in result.pairs:
        names = f"{pair.one} and {pair.other}"
        count = len(pair.reasons)
        print(f"{names}: {count} in common")
        for reason in pair.reasons[:SHOWN]:
            print(f"  {reason}")
    for group in result.groups[:SHOWN]:
        count = len(group.handles)
        print(f"{count} copies have {group.reason}")


def class_check(out: Out = Path("grades")) -> None:
    """Check `course/class.yaml`, and solve each lesson once in a copy of this commit."""
    room = classroom.load()
    sentences = checking.faults(room)
    for sentence in sentences:
        print(f"{classroom.FILE}: {sentence}")
    red = bool(sentences)
    console = Console(stderr=True)
    with console.status("") as progress:
        for each, text in checking.solve(out, progress.update):
            number = f"{each.number:>2}"
            title = f"{each.front.title:<38}"
            print(f"{number}  {title} {text}")
            if text != sheet.PASSED:
                red = True
    raise typer.Exit(int(red))


def status_of(students: Path, out: Path) -> None:
    """Collect a class, and print who is stuck where."""
    collection = _collection(students, out, [])
    _collect(collection, None)
    table = Table(box=None, pad_edge=False)
    for title in ("student", "done", "where"):
        table.add_column(title, overflow="fold")
    for student, done, place in standing.lines(collection):
        table.add_row(
            student,
            done,
            escape(place),
        )
    console = Console(highlight=False)
    console.print(table)


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
