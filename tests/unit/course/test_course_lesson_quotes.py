"""What the lessons quote from programs: written by running them, or still in the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from course import lesson, outputs, show
from course.lesson import Lesson
from tests.paths import ROOT
from tools import lesson_pages

# Programs whose messages a student meets.
FOLDERS = ("core", "course", "history", "pipeline", "scripts")
# What other programs say: Git.
FOREIGN = {"rejected (non-fast-forward)"}
FENCE = re.compile(r"^ *```(\w*)\n.*?^ *```$", re.MULTILINE | re.DOTALL)
WRONG = re.compile(r"\n## If it goes wrong\n(.*?)(?=\n<details>|\Z)", re.DOTALL)
QUOTE = re.compile(r"(?<![\w*])\*([^*]+)\*(?![\w*])")
PARTS = re.compile(r"\.\.\.|: |, ")
GAP = "\0"


@pytest.mark.parametrize("each", lesson.every(), ids=lambda each: each.folder)
def test_an_output_is_written_by_a_program(each: Lesson) -> None:
    languages = [match[1] for match in FENCE.finditer(each.text)]
    quoted = outputs.names(each.text)
    assert languages.count("") == len(
        quoted
    ), "an output has no mark: course/outputs.py"
    assert set(quoted) - {outputs.CHECK} == set(each.outputs)
    assert len(set(quoted)) == len(quoted)


def template(node: ast.AST) -> str:
    """Return a text of the code, with a gap for each of its values."""
    if isinstance(node, ast.Constant):
        return str(node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) or GAP for part in node.values)
    return ""


@cache
def templates() -> str:
    """Return all texts of the programs, one below the other."""
    texts = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                texts.add(template(node))
    return "\n\n".join(sorted(texts))


def quotes(text: str) -> Iterator[str]:
    """Go through the messages that a page explains."""
    section = WRONG.search(text)
    for quote in QUOTE.findall(section[1] if section else ""):
        yield " ".join(quote.split())


def is_in_the_code(quote: str) -> bool:
    """Return whether the programs have each part of a message.

    Dots stand for a value, and what is before a colon or comma may be one.
    """
    parts = [part.strip() for part in PARTS.split(quote)]
    return all(part in templates() for part in parts)


@pytest.mark.parametrize("each", lesson.every(), ids=lambda each: each.folder)
def test_a_message_that_is_explained_exists(each: Lesson) -> None:
    listed = set(quotes(each.text)) - FOREIGN
    assert [quote for quote in sorted(listed) if not is_in_the_code(quote)] == []


def test_what_is_in_no_program_is_seen() -> None:
    text = "\n## If it goes wrong\n- *the moon is ...*: wait.\n"
    assert list(quotes(text)) == ["the moon is ..."]
    assert not is_in_the_code("the moon is ...")
    assert not is_in_the_code("the bundle was trained from commit ...")
    assert is_in_the_code("... was trained from commit ..., which the branch does")


def test_numbers_and_days_are_masked() -> None:
    text = "2027-11-29 0123abcd champion v2 f00ba4f, 12.25 s, 0.811 of 1000 rows"
    assert outputs.masked(text) == (
        "2026-01-31 1a2b3c4d champion v2 1a2b3c4, 2.0 s, 0.811 of 1000 rows"
    )


def test_an_output_takes_the_place_of_the_last_one() -> None:
    page = (
        "1. Run it:\n   <!-- output: a -->\n   ```\n   old\n   old\n   ```\n2. Go on.\n"
    )
    long = " ".join(["word"] * 30)
    text = outputs.written(page, {"a": f"one\n\n{long}\n"})
    assert text.startswith(
        "1. Run it:\n   <!-- output: a -->\n   ```\n   one\n\n   word"
    )
    assert text.endswith("word\n   ```\n2. Go on.\n")
    assert max(len(line) for line in text.splitlines()) <= 3 + show.WIDTH
    assert outputs.written(text, {"a": f"one\n\n{long}\n"}) == text


def test_a_page_keeps_its_marks_and_the_site_has_none() -> None:
    page = "a\n   <!-- output: a -->\n   ```\n   old\n   ```\n"
    assert lesson_pages.unfold(page) == "a\n   ```\n   old\n   ```\n"
