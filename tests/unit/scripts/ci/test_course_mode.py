"""The jobs of a copy in which somebody follows the course."""

from pathlib import Path

import pytest

from tests.unit.scripts.ci.project import Project

STUDENT = "course/student.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize("private", ["", "yes"])
def test_a_copy_for_the_course_publishes_and_ships_nothing(
    project: Project, private: str
) -> None:
    project.commit("chore: begin the course", STUDENT)
    project.commit("feat: more", "params.yaml")
    assert project.jobs(private=private) == {"lint", "train", "publish"}
    requested = project.jobs("pull_request", "refs/pull/7/merge", private=private)
    assert requested == {"lint", "test", "train"}
    whole = project.jobs(private=private, MLOPS_BUDGET="full")
    assert whole >= {"test", "images", "release"}


def test_the_student_counts_where_the_checkout_does_not_have_the_file(
    project: Project,
) -> None:
    project.commit("chore: begin the course", STUDENT)
    (project.folder / STUDENT).unlink()
    assert "images" not in project.jobs()
