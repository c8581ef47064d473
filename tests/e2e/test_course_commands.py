"""The commands of the course as a student types them, in a copy with its own code."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.git import git
from course import watch
from tests.conftest import commit_all
from tests.support.course_copies import Desk, fresh

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
STUDENT = "ann"
# The rules of the repository that read which files there are.
RULES = (
    "test_code_style.py",
    "test_docs.py",
    "test_documented_commands.py",
    "test_layers.py",
    "test_repository.py",
    "test_site.py",
    "test_vocabulary.py",
    "core/test_git.py",
    "scripts/test_console.py",
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return fresh(tmp_path_factory.mktemp("student") / "ann", STUDENT)


def course(desk: Desk, *arguments: str, status: int = 0) -> str:
    """Run a command of the copy; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "course", *arguments],
        cwd=desk.clone,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_nothing_works_before_somebody_begins(desk: Desk) -> None:
    assert "is in no commit" in course(desk, "check", "0", status=1)
    for command in (("data",), ("start", "1")):
        output = course(desk, *command, status=2)
        assert "python -m course start --student NAME" in output
        assert "Traceback" not in output


def test_a_wrong_call_is_a_sentence(desk: Desk) -> None:
    assert "say who you are" in course(desk, "start", status=2)
    assert "cannot be a name" in course(desk, "start", "--student", "a b", status=2)
    assert "there is no lesson 99" in course(desk, "check", "99", status=2)


def test_a_student_begins_and_reads_the_questions(desk: Desk) -> None:
    output = course(desk, "start", "--student", STUDENT)
    assert "git add course/student.yaml" in output
    commit_all(desk.clone, "chore: begin the course")
    assert "4 of 4" in course(desk, "check", "0")
    refusal = course(desk, "start", "--student", "ben", status=2)
    assert "this copy belongs to ann" in refusal

    questions = course(desk, "start", "1")
    for word in ("run", "algorithm", "refused", "difference", "spoilt", "prediction"):
        assert f"\n{word} " in questions
    verified = subprocess.run(
        [sys.executable, "-m", "pipeline", "--repo", "build/course/spoilt"]
        + ["history", "verify"],
        cwd=desk.clone,
        capture_output=True,
        encoding="utf-8",
    )
    assert verified.returncode == 1
    assert "was altered" in verified.stdout


def test_a_solution_is_shown_as_a_patch_and_changes_nothing(desk: Desk) -> None:
    before = git(desk.clone, "rev-parse", "HEAD")
    patch = course(desk, "solve", "1", "--patch")
    assert "+++ b/course/answers.yaml" in patch
    assert git(desk.clone, "rev-parse", "HEAD") == before
    assert git(desk.clone, "status", "--porcelain") == ""


def test_a_solved_lesson_is_green_and_marked(desk: Desk) -> None:
    course(desk, "solve", "1")
    assert "7 of 7" in course(desk, "check", "1")
    assert "Course-Solved: 1" in git(desk.clone, "log", "-1", "--format=%B")


def test_the_table_of_the_orchard_is_written(desk: Desk) -> None:
    output = course(desk, "data", "--season", "2")
    lines = (desk.clone / "build/course/season-2.csv").read_text("utf-8").splitlines()
    assert len(lines) == 401
    for column in lines[0].split(","):
        assert f"\n{column} " in f"\n{output}"


def test_a_change_is_checked_soon_after_it(desk: Desk, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "course", "watch", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=desk.clone,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        wait_for(log, 1)
        start = time.monotonic()
        (desk.clone / "params.yaml").touch()
        wait_for(log, 2)
        # A second until it looks again, the rest for the check itself.
        assert time.monotonic() - start < watch.SECONDS + 20
    finally:
        process.terminate()
        process.wait()


def wait_for(log: Path, count: int) -> None:
    """Wait until a lesson was checked so many times."""
    end = time.monotonic() + 60
    while log.read_text("utf-8").count("Waiting for a change") < count:
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.1)


def test_the_rules_are_green_without_the_course(desk: Desk, tmp_path: Path) -> None:
    other = desk.beside(tmp_path / "b")  # the path is limited on Windows
    shutil.rmtree(other.clone / "course")
    commit_all(other.clone, "chore: remove the course")
    for command in (
        ["pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", "not slow"]
        + [f"tests/unit/{name}" for name in RULES],
        ["mypy"],
        ["tools.site"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=other.clone,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr
