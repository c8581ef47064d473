"""The workflows as this project needs them: order, rights, names and programs."""

import re
import shlex
from collections.abc import Iterator

import pytest
import yaml

from scripts.ci import budget
from scripts.ci.plan import Event, plan
from scripts.ci.verdict import DOES
from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.workflow_files import FOLDER, ON, workflows

WORKFLOWS = workflows()
BRANCH = re.compile(r"refs/heads/\w|\[main\]|tree/main")
# The text of the expression that is the default branch's full name.
DEFAULT = "format('refs/heads/{0}', github.event.repository.default_branch)"
MLOPS = yaml.safe_load((FOLDER / "mlops.yml").read_text("utf-8"))
JOBS: dict[str, Json] = MLOPS["jobs"]


def steps() -> Iterator[Json]:
    """Yield every step of every workflow."""
    for workflow in WORKFLOWS:
        for _, step in workflow.steps():
            yield step


def test_only_the_main_workflow_writes_to_the_repository() -> None:
    writers = set()
    for workflow in WORKFLOWS:
        for job in workflow.jobs.values():
            if job["permissions"].get("contents") == "write":
                writers.add(workflow.name)
    assert writers <= {"mlops.yml"}


def test_a_fork_has_to_enable_nothing_for_the_main_workflow() -> None:
    # GitHub turns each workflow with a schedule off in a fork, whatever else starts it.
    for workflow in WORKFLOWS:
        if workflow.name in ("mlops.yml", "welcome.yml"):
            assert "schedule" not in workflow.content[ON]


def test_changed_data_start_the_main_workflow_with_inputs_that_it_takes() -> None:
    (data,) = (workflow for workflow in WORKFLOWS if workflow.name == "data.yml")
    dispatch = data.jobs["dispatch"]
    assert dispatch["permissions"] == {"actions": "write"}
    (step,) = dispatch["steps"]
    assert step["env"] == {
        "GH_TOKEN": "${{ github.token }}",
        "GH_REPO": "${{ github.repository }}",
        "BRANCH": "${{ github.event.repository.default_branch }}",
        "TASKS": "${{ needs.check.outputs.tasks }}",
        "REASON": "${{ needs.check.outputs.reason }}",
    }
    program, *arguments = shlex.split(step["run"])
    assert program == "gh"
    assert arguments[:4] == ["workflow", "run", "mlops.yml", "--ref"]
    assert arguments[4] == "$BRANCH"
    assert set(arguments[5::2]) == {"--raw-field"}
    pairs = [field.split("=", 1) for field in arguments[6::2]]
    fields = dict(pairs)
    assert fields == {
        "tasks": "$TASKS",
        "reason": "$REASON",
        "refresh_data": "true",
    }
    inputs = MLOPS[ON]["workflow_dispatch"]["inputs"]
    assert fields.keys() <= inputs.keys()


def test_checks_and_training_wait_for_the_plan_and_publishing_for_all_of_them() -> None:
    needs = {name: job.get("needs") for name, job in JOBS.items()}
    for name in ("lint", "test", "train"):
        assert needs[name] == "plan"
    assert set(needs["publish"]) == {"plan", "lint", "test", "train"}
    before_verdict = set(JOBS) - {"verdict", "comment"}
    assert set(needs["verdict"]) == before_verdict


def test_publishing_waits_for_the_success_of_what_is_planned() -> None:
    condition = JOBS["publish"]["if"]
    for needed in (
        "!cancelled()",
        "needs.lint.result == 'success'",
        "needs.train.result == 'success'",
        "(needs.test.result == 'success' || !contains(needs.plan.outputs.jobs, '\"test\"'))",
    ):
        assert needed in condition.split(" && "), needed


def test_what_ships_waits_for_a_publication_that_may_be_shipped() -> None:
    # Each condition is for a success: a job that ran into its time limit may have no
    # failure.
    shippable = "needs.publish.outputs.ship == 'true'"
    conditions = {name: job.get("if", "") for name, job in JOBS.items()}
    assert conditions["images"] == shippable
    assert shippable in conditions["images-arm"]
    assert shippable in conditions["e2e"]
    assert "needs.images.result == 'success'" in conditions["smoke"]
    assert "needs.smoke.result == 'success'" in conditions["release"]


def test_the_jobs_are_those_that_are_planned_reported_and_counted() -> None:
    assert set(JOBS) - {"comment", "verdict"} == set(DOES)
    assert set(JOBS) <= set(budget.MINUTES)
    push = Event("push", "refs/heads/main", "main")
    planned = plan(push, budget.BUDGETS["full"]).jobs
    in_a_plan = set(JOBS) - {"plan", "verdict", "comment"}
    assert set(planned) == in_a_plan


def test_the_jobs_at_night_are_those_that_are_counted_and_the_budget_allows() -> None:
    (nightly,) = (workflow for workflow in WORKFLOWS if workflow.name == "nightly.yml")
    assert nightly.jobs.keys() == budget.NIGHT_MINUTES.keys()
    for name, job in nightly.jobs.items():
        if name != "plan":
            is_thorough = name in budget.THOROUGH_AT_NIGHT
            output = "thorough" if is_thorough else "run"
            assert job["if"] == f"needs.plan.outputs.{output} == 'true'"


def test_a_pull_request_runs_once_and_no_push_to_the_default_branch_is_dropped() -> (
    None
):
    condition = JOBS["plan"]["if"]
    assert condition == f"github.event_name != 'push' || github.ref == {DEFAULT}"
    concurrency = MLOPS["concurrency"]
    group = f"github.ref == {DEFAULT} && github.run_id || github.ref"
    cancel = f"${{{{ github.ref != {DEFAULT} }}}}"
    assert group in concurrency["group"]
    assert concurrency["cancel-in-progress"] == cancel
    assert "merge_group" in MLOPS[ON]
    for workflow in WORKFLOWS:
        events = workflow.content[ON]
        if "push" in events:
            assert "dependabot/**" in events["push"]["branches-ignore"]


def test_the_status_that_a_rule_requires_comes_from_no_push() -> None:
    # A skipped job counts as passed, and a push to the branch of a request skips all of
    # them.
    names = "github.event_name == 'push' && 'Verdict of the push' || 'Verdict'"
    assert JOBS["verdict"]["name"] == f"${{{{ {names} }}}}"
    assert "github.ref" in JOBS["plan"]["if"]


def test_no_branch_is_named() -> None:
    for workflow in WORKFLOWS:
        assert not BRANCH.search(workflow.text), workflow.name


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("publish", {"publish"}),
        ("images", set()),
        ("release", {"latest", "declare"}),  # one fetches, the other pushes
        ("model-releases", {"prepare", "create"}),
    ],
)
def test_the_writers_hold_the_token_in_the_steps_that_use_it(
    name: str, steps: set[str]
) -> None:
    job = JOBS[name]
    holders = set()
    for step in job["steps"]:
        if "GITHUB_TOKEN" in step.get("env", {}):
            holders.add(step["id"])
    assert holders == steps
    assert "GITHUB_TOKEN" not in job.get("env", {})


def test_the_documentation_names_the_owners_of_the_actions_to_allow() -> None:
    page = (ROOT / "docs" / "push.md").read_text("utf-8")
    owners = set()
    for step in steps():
        owner, _, _ = step.get("uses", ".").partition("/")
        owners.add(owner)
    for owner in owners - {"."}:
        assert f"`{owner}/*`" in page


def test_every_artifact_may_be_uploaded_again_and_is_not_kept_for_ever() -> None:
    uploads = 0
    for step in steps():
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            uploads += 1
            assert step["with"]["overwrite"] is True
            assert step["with"]["retention-days"] == 14
    assert uploads
