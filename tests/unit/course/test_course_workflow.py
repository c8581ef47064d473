"""The workflow *course* is started where somebody follows the course, and there only."""

from scripts.ci import budget
from tests.support.workflow_files import ON, workflows

WORKFLOWS = {workflow.name: workflow for workflow in workflows()}


def test_a_publication_starts_the_checks_in_a_copy_for_the_course() -> None:
    publish = WORKFLOWS["mlops.yml"].jobs["publish"]
    (step,) = [each for each in publish["steps"] if "course.yml" in str(each)]
    assert step["if"] == f"needs.plan.outputs.budget == '{budget.COURSE.name}'"
    assert step["run"].startswith("gh workflow run course.yml ")
    assert publish["permissions"]["actions"] == "write"


def test_nothing_else_starts_them_and_they_read_the_whole_history() -> None:
    course = WORKFLOWS["course.yml"]
    assert list(course.content[ON]) == ["workflow_dispatch"]
    (job,) = course.jobs.values()
    checkout, check = job["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert check["run"] == "bash scripts/nox.sh -s course -- summary"
    assert job["permissions"] == {"contents": "read"}
