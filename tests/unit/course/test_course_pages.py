"""The pages of the course: their commands exist, the syllabus is that of the lessons."""

import re
import tomllib
from pathlib import Path

import pytest
import typer

from core.git import git
from course import lesson, page, syllabus, watch
from course.cli import app
from tests.paths import ROOT
from tools import lesson_pages, site

COMMAND = re.compile(r"python -m course ([a-z]+)([^`\n]*)")
OPTION = re.compile(r"--[a-z-]+")
PAGES = sorted(ROOT.glob("course/**/*.md"))
PAGES.append(ROOT / "docs" / "course.md")


def unknown(text: str) -> list[str]:
    """Return the commands and options of the course in a text that do not exist."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = []
    for name, arguments in COMMAND.findall(text):
        if name not in commands:
            names.append(name)
            continue
        options = {"--help"}
        for parameter in commands[name].params:
            options.update(parameter.opts)
        used = OPTION.findall(arguments.partition(";")[0])
        names += [option for option in used if option not in options]
    return names


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.parent.name)
def test_every_command_of_the_course_exists(file: Path) -> None:
    assert unknown(file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.parent.name)
def test_no_command_of_a_lesson_needs_another_python(file: Path) -> None:
    sessions = re.findall(r"nox\.sh -s (\S+)", file.read_text("utf-8"))
    assert not [session for session in sessions if session.startswith("tests")]


def test_what_does_not_exist_is_seen() -> None:
    text = "`python -m course grade 3`, `python -m course check 3 --fast`"
    assert unknown(text) == ["grade", "--fast"]


@pytest.mark.parametrize("each", lesson.every(), ids=lambda each: each.folder)
def test_a_remedy_names_files_and_commands_that_exist(each: lesson.Lesson) -> None:
    for check in each.checks:
        assert unknown(check.remedy()) == []


def test_the_syllabus_is_that_of_the_lessons() -> None:
    text = (ROOT / syllabus.FILE).read_text("utf-8")
    assert text == syllabus.page(lesson.every()), "run `nox -s docs`"


def test_hints_come_one_after_the_other() -> None:
    first = lesson.get(0)
    texts = [page.hint(first, place) for place in (1, 2, 3, 9)]
    assert [text.splitlines()[0] for text in texts] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 3 of 3",
    ]
    assert "python -m course hint 0 2" in texts[0]
    assert "python -m course hint" not in texts[2]


def test_the_site_has_every_lesson() -> None:
    text = (ROOT / site.CONFIGURATION).read_text("utf-8")
    configured = lesson_pages.with_lessons(text, ROOT)
    navigation = str(tomllib.loads(configured)["project"]["nav"])
    assert "learn/syllabus.md" in navigation
    for each in lesson.every():
        assert f"Lesson {each.number}: {each.title}" in navigation


def test_a_lesson_links_to_pages_of_the_site() -> None:
    name = "course/lessons/lesson_00_set_out/lesson.md"
    links = "[a](../../../docs/why.md#x) [b](../../README.md) [c](../../../params.yaml)"
    assert site.render(links, "https://example.org/a/b", name) == (
        "[a](../why.md#x) [b](syllabus.md)"
        " [c](https://example.org/a/b/blob/HEAD/params.yaml)"
    )


def test_a_change_is_noticed_and_what_programs_write_is_not(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "params.yaml").write_text("a: 1\n", "utf-8")
    before = watch.times(tmp_path)
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "bundle.json").write_text("{}", "utf-8")
    assert watch.times(tmp_path) == before
    (tmp_path / "params.yaml").write_text("a: 12\n", "utf-8")
    assert watch.times(tmp_path) != before
