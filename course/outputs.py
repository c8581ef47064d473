"""Writes what the lessons' pages quote: `nox -s docs -- --lessons`.

A page quotes a program in a block below the mark `<!-- output: NAME -->`. The outputs of
a lesson are functions in its `outputs.py`: each runs in a copy in which the lessons before
it are done. The name `check` is that of the lesson's own checks when it is done.
"""

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from core.files import write_atomic
from course import classroom, fresh, lesson, show
from course.copy import Copy
from course.grading import worktree
from course.lesson import Lesson
from course.work import Work
from scripts import console

# Whose copy is quoted.
STUDENT = "ann"
CHECK = "check"
BLOCK = re.compile(
    r"^(?P<indent> *)<!-- output: (?P<name>[\w-]+) -->\n"
    r"(?P=indent)```\n.*?^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
# What differs from run to run, and what a page has in its place.
_NUMBER = re.compile(r"\b[0-9a-f]{7,64}\b")
_DIGITS = "1a2b3c4d5e6f7890"
_DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")
_SECONDS = re.compile(r"\b\d+(\.\d+)? s\b")


def names(text: str) -> list[str]:
    """Return the names of the outputs that a page quotes."""
    return [block["name"] for block in BLOCK.finditer(text)]


def masked(text: str) -> str:
    """Return an output with examples for numbers of commits and runs, and for days."""
    text = _NUMBER.sub(_example, text)
    text = _DAY.sub("2026-01-31", text)
    return _SECONDS.sub("2.0 s", text)


def _example(number: re.Match[str]) -> str:
    length = len(number[0])
    return (_DIGITS * length)[:length]


def written(text: str, outputs: Mapping[str, str]) -> str:
    """Return the text of a page with its outputs.

    Args:
        text: the page.
        outputs: the output by its name, for each name of the page.
    """

    def replace(block: re.Match[str]) -> str:
        indent, name = block["indent"], block["name"]
        lines = [f"<!-- output: {name} -->", "```", *_lines(outputs[name]), "```"]
        return "\n".join(f"{indent}{line}".rstrip() for line in lines)

    return BLOCK.sub(replace, text)


def _lines(output: str) -> list[str]:
    """Return the lines as a terminal of the usual width has them."""
    lines: list[str] = []
    for line in masked(output).strip("\n").splitlines():
        lines += show.wrapped(line, show.WIDTH)
    return lines


def run(chosen: Lesson, earlier: Path, done: Path) -> dict[str, str]:
    """Run what the page of a lesson quotes.

    Args:
        chosen: the lesson.
        earlier: a folder of `fresh` in which only the lessons before it are done.
        done: one in which it is done, too. Both stay as they are.

    Returns:
        what was printed, by the name of the output.

    Raises:
        PipelineError: a command did not end as it should.
    """
    outputs = {}
    for name in names(chosen.text):
        if name == CHECK:
            work = _work(done / fresh.CLONE)
            outputs[name] = work.run(f"python -m course check {chosen.number}")
            continue
        with worktree.folder() as folder:
            clone = fresh.beside(earlier, folder / "tried")
            outputs[name] = chosen.outputs[name](_work(clone))
    return outputs


def _work(clone: Path) -> Work:
    return Work(Copy(clone, classroom.load().salt, owner=STUDENT))


def pages(report: Callable[[str], None]) -> Iterator[tuple[Path, str]]:
    """Do the lessons one after the other, and yield each page with its outputs.

    Args:
        report: called with what is done next.
    """
    with worktree.folder() as folder:
        earlier, done = folder / "earlier", folder / "done"
        clone = fresh.fresh(done, STUDENT)
        for each in lesson.every():
            fresh.beside(done, earlier)
            report(f"solving lesson {each.number}")
            each.solve(_work(clone))
            report(f"running what lesson {each.number} quotes")
            yield each.page, written(each.text, run(each, earlier, done))
            shutil.rmtree(earlier)


def main() -> None:
    """Write the pages."""
    with Console(stderr=True).status("") as progress:
        for path, text in pages(progress.update):
            if path.read_text("utf-8") != text:
                write_atomic(path, text.encode())
                progress.console.print(f"wrote {path.parent.name}/{path.name}")


if __name__ == "__main__":
    sys.exit(console.run(main))
