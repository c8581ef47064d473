"""`course class check` says what `course/class.yaml` lacks before a class begins."""

from pathlib import Path

import pytest

from core.git import git
from course import classroom
from course.teacher import class_check
from tests.conftest import commit_all

TEXT = """\
name: MLOps
salt: {salt}
template: https://github.com/ann/template
grader: "{grader}"
"""


class Template:
    """A repository with a class, whose checks are at a commit of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        git(root, "init", "--quiet", "-b", "main")
        git(root, "config", "user.name", "ann")
        git(root, "config", "user.email", "ann@example.org")
        (root / "course").mkdir()

    def commit(self, salt: str, grader: str = "") -> str:
        """Commit the class, and return the commit."""
        text = TEXT.format(salt=salt, grader=grader)
        (self.root / classroom.FILE).write_text(text, "utf-8")
        return commit_all(self.root, "chore: describe the class")

    def faults(self) -> list[str]:
        """Return what is to be set."""
        room = classroom.load(self.root)
        return class_check.faults(room)


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Template:
    """Return the repository to which the command belongs."""
    monkeypatch.setattr(class_check, "ROOT", tmp_path)
    return Template(tmp_path)


def test_the_newest_commit_is_proposed_for_the_checks_on_github(
    template: Template,
) -> None:
    commit = template.commit("salt")
    (fault,) = template.faults()
    assert fault.startswith(f"grader: write {commit}, this commit")


def test_a_class_whose_checks_have_its_salt_is_ready(template: Template) -> None:
    commit = template.commit("salt")
    template.commit("salt", grader=commit)
    assert not template.faults()


def test_a_commit_that_is_missing_is_named(template: Template) -> None:
    template.commit("salt", grader="0" * 40)
    assert template.faults() == ["grader: this checkout has no commit 0000000."]


def test_checks_that_would_draw_other_data_are_named(template: Template) -> None:
    commit = template.commit("another")
    template.commit("salt", grader=commit)
    (fault,) = template.faults()
    assert fault == (
        f"grader: commit {commit[:7]} has another salt: write a later one."
    )


def test_a_change_that_is_in_no_commit_is_named(template: Template) -> None:
    commit = template.commit("salt")
    template.commit("salt", grader=commit)
    file = template.root / classroom.FILE
    file.write_text(TEXT.format(salt="new", grader=commit), "utf-8")
    faults = template.faults()
    assert any("in no commit: commit them" in fault for fault in faults)
