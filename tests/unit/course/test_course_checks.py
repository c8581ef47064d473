"""How checks are run, shown and counted."""

import io
import json
import re
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from course import lesson, show
from course.check import Check, run_all
from course.copy import Copy
from course.grading.result import (
    Red,
    State,
    Ungradable,
    Verdict,
    failed,
    passed,
)
from tests.conftest import commit_all
from tests.paths import ROOT


class Good(Check):
    """Do nothing.

    More words.
    """

    name = "it is good"

    def run(self, copy: Copy) -> Verdict:
        return passed("fine")


class Bad(Check):
    """Make it better."""

    name = "it is better"

    def run(self, copy: Copy) -> Verdict:
        return failed("bad", "good")


class Later(Check):
    """Wait."""

    name = "it is last"
    requires = (Good, Bad)

    def run(self, copy: Copy) -> Verdict:
        raise AssertionError("it must not run")


class Broken(Check):
    """Repair it."""

    name = "it can be read"
    error: Exception = ZeroDivisionError("division by zero")

    def run(self, copy: Copy) -> Verdict:
        raise self.error


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    (tmp_path / ".git").mkdir()
    return Copy(tmp_path, "salt")


def states(copy: Copy, *checks: type[Check]) -> list[State]:
    results = run_all(checks, copy, lambda _: None)
    return [result.verdict.state for result in results]


def test_a_check_waits_for_those_that_it_requires(copy: Copy) -> None:
    assert states(copy, Good, Bad, Later) == [
        State.PASSED,
        State.FAILED,
        State.SKIPPED,
    ]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ZeroDivisionError("division"), State.FAILED),
        (RecursionError("too deep"), State.FAILED),
        (PipelineError("it is not text."), State.FAILED),
        (Red("it is red"), State.FAILED),
        (Ungradable("no promtool"), State.UNGRADABLE),
    ],
)
def test_any_error_ends_in_a_verdict(
    copy: Copy, error: Exception, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "error", error)
    assert states(copy, Broken) == [state]


def test_the_exit_status_is_never_green_by_accident(copy: Copy) -> None:
    def status(*checks: type[Check]) -> int:
        return show.status(run_all(checks, copy, lambda _: None))

    assert status(Good) == show.GREEN
    assert status(Good, Bad) == show.RED
    Broken.error = Ungradable("no promtool")
    assert status(Good, Broken) == show.CANNOT
    assert status(Broken, Bad) == show.RED


def test_a_check_has_at_most_three_lines(
    copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run_all((Good, Bad, Later), copy, lambda _: None)
    show.show(lesson.get(0), results)
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "Lesson 0 Set out 1 of 3"
    assert lines[1:] == [
        " ✓ it is good: fine",
        " ✗ it is better: bad",
        "     expected: good",
        "     next:     Make it better. Hint: python -m course hint 0",
        " ○ it is last: needs: it is better",
    ]


def test_a_terminal_breaks_lines_between_words(
    copy: Copy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    show.show(lesson.get(0), run_all((Good, Bad, Later), copy, lambda _: None)[1:])
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert lines[1:] == [
        " ✗ it is better: bad",
        "     expected: good",
        "     next:     Make it better. Hint:",
        "     python -m course hint 0",
        " ○ it is last: needs: it is better",
    ]


def test_a_console_without_utf_8_gets_plain_marks(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", stream)
    results = run_all((Good, Bad), copy, lambda _: None)
    show.show(lesson.get(0), results)
    stream.flush()
    text = stream.buffer.getvalue().decode("ascii")  # type: ignore[attr-defined]
    assert " ok it is good: fine" in text
    assert " X  it is better: bad" in text


def test_json_has_what_programs_need(copy: Copy) -> None:
    results = run_all((Good, Bad), copy, lambda _: None)
    content = show.to_json(lesson.get(0), results)
    assert json.loads(json.dumps(content)) == {
        "lesson": 0,
        "title": "Set out",
        "passed": False,
        "status": 1,
        "checks": [
            {
                "name": "it is good",
                "state": "passed",
                "seen": "fine",
                "expected": "",
                "next": "",
            },
            {
                "name": "it is better",
                "state": "failed",
                "seen": "bad",
                "expected": "good",
                "next": "Make it better.",
            },
        ],
    }


def test_a_lesson_that_there_is_not() -> None:
    with pytest.raises(UsageError, match="there is no lesson 99: choose from 0, 1"):
        lesson.get(99)


def test_a_file_of_a_copy_may_be_anything(tmp_path: Path) -> None:
    outside = tmp_path / "secret.yaml"
    outside.write_text("a: 1\n", "utf-8")
    root = tmp_path / "copy"
    root.mkdir()
    copy = Copy(git_repository(root), "salt")
    (root / "link.yaml").symlink_to(outside)
    (root / "bomb.yaml").write_text("a: &a [1]\nb: [*a, *a]\n", "utf-8")
    (root / "deep.yaml").write_text("[" * 1500, "utf-8")
    (root / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (root / "list.yaml").write_text("- 1\n", "utf-8")
    commit_all(root, "feat: odd files")
    for name in ("link", "bomb", "deep", "binary", "list", "missing"):
        for commit in ("", "HEAD"):
            with pytest.raises(PipelineError):
                copy.yaml(f"{name}.yaml", commit)


def git_repository(root: Path) -> Path:
    from core.git import git

    git(root, "init", "--quiet", "-b", "main")
    return root


@pytest.mark.parametrize("each", lesson.every(), ids=lambda each: each.folder)
def test_a_lesson_is_complete(each: lesson.Lesson) -> None:
    assert each.title
    assert f"# Lesson {each.number}: {each.title}\n" in each.text
    assert f"**Aim.** {each.front.aim}\n" in each.text
    assert all(number < each.number for number in each.front.needs)
    for heading in ("You need", "Do", "Look", "Check", "If it goes wrong"):
        assert f"\n## {heading}\n" in each.text, heading
    assert "\n## What you know now\n" in each.text
    assert len(each.hints) >= 2
    assert each.text.count("<details>") == len(each.hints)
    for check in each.checks:
        assert check.name
        assert check.remedy().endswith((".", "`."))
        assert set(check.requires) <= set(each.checks)
    assert callable(each.solve)
    assert len(each.fakes) >= 2
    for fake in each.fakes:
        assert fake.fails in each.checks


def test_lessons_are_numbered_without_a_gap() -> None:
    numbers = [each.number for each in lesson.every()]
    assert numbers == sorted(set(numbers))
    assert (ROOT / "course" / "lessons").is_dir()
