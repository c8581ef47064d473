"""The workflow *course* is started where somebody follows the course, and there only."""

from typing import Any

from scripts.ci import budget, template_checks
from tests.support.workflow_files import ON, workflows

WORKFLOWS = {workflow.name: workflow for workflow in workflows()}


def test_a_publication_starts_the_checks_in_a_copy_for_the_course() -> None:
    publish = WORKFLOWS["mlops.yml"].jobs["publish"]
    (step,) = [each for each in publish["steps"] if "course.yml" in str(each)]
    assert step["if"] == f"needs.plan.outputs.budget == '{budget.COURSE.name}'"
    assert step["run"].startswith("gh workflow run course.yml ")
    assert publish["permissions"]["actions"] == "write"


def steps() -> list[dict[str, Any]]:
    """Return the steps of the only job."""
    (job,) = WORKFLOWS["course.yml"].jobs.values()
    listed: list[dict[str, Any]] = job["steps"]
    return listed


def test_nothing_else_starts_them_and_they_read_the_whole_history() -> None:
    course = WORKFLOWS["course.yml"]
    assert list(course.content[ON]) == ["workflow_dispatch"]
    (job,) = course.jobs.values()
    assert job["permissions"] == {"contents": "read"}
    checkout = steps()[0]
    assert checkout["with"]["fetch-depth"] == 0


def test_the_checks_are_the_templates_at_the_commit_that_the_class_names() -> None:
    _, look, checkout, check, own = steps()
    assert look["run"] == f"python3 -m {template_checks.__name__}"
    options = checkout["with"]
    assert options["repository"] == "${{ steps.template.outputs.repository }}"
    assert options["ref"] == "${{ steps.template.outputs.commit }}"
    assert check["working-directory"] == options["path"]
    assert check["run"] == "bash scripts/nox.sh -s course -- --repo .. summary"
    assert checkout["if"] == check["if"] == "steps.template.outputs.commit != ''"
    assert own["if"] == "steps.template.outputs.commit == ''"
    assert own["run"] == "bash scripts/nox.sh -s course -- summary"
