"""The workflows keep the rules, and each rule would see its fault."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.ci import budget
from scripts.ci.plan import Event, plan
from scripts.ci.verdict import DOES
from tests.paths import ROOT
from tests.support import workflow_rules as rules
from tests.support.workflow_rules import RULES, Workflow

WORKFLOWS = [
    Workflow.read(path) for path in sorted((ROOT / ".github/workflows").glob("*.y*ml"))
]
Rule = Callable[[Workflow], list[str]]
PROGRAM = re.compile(r"python3 -m (scripts\.[\w.]+)")

GOOD = """\
name: good
on:
  push:
  pull_request:
permissions: {}
jobs:
  reads:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
      - uses: ./.github/actions/own
      - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
      - run: |
          ./scripts/nox.sh -s "tests-$PYTHON" -- \\
            -k "not slow"
          .\\scripts\\nox.ps1 -s "tests-$env:PYTHON"
          python3 -m scripts.ci.welcome
          gh workflow run mlops.yml --ref "$BRANCH" --raw-field tasks="$TASKS"
  writes:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: write
    steps:
      - uses: astral-sh/setup-uv@20cfd1bf945f4377ade1205e4dbc17946fc9a30d # v10.0.1
        with:
          enable-cache: false
  signs:
    needs: [publish]
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      id-token: write
    steps:
      - uses: docker/login-action@4907a6ddec9925e35a0a9e82d7399ccc52663121 # v4.1.0
      - uses: actions/attest@59d89421af93a897026c735860bf21b6eb4f7b26 # v4.1.0
  comments:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      pull-requests: write
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          persist-credentials: false
          ref: ${{ github.event.pull_request.base.sha }}
"""
BUILDX = "docker/setup-buildx-action@37fe631027851001ddb9b187196cc803df7f5f0e # v4.3.0"
TRIVY = "aquasecurity/trivy-action@ed142fd0673e97e23eac54620cfb913e5ce36c25 # v0.36.0"
CACHE = "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5"
PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
READS = "    permissions:\n      contents: read\n"
OWN = "./.github/actions/own"
WELCOME = "python3 -m scripts.ci.welcome"
# Each fault is a small change of the good one: the rule, the text that goes, the text
# that comes.
FAULTS: list[tuple[Rule, str, str]] = [
    (
        rules.actions_are_pinned,
        "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
        "v7.0.1",
    ),
    (rules.actions_are_pinned, "273ba90b1 # v7.0.1", "273ba90b # v7.0.1"),
    (rules.actions_are_pinned, " # v7.0.1", ""),
    (rules.actions_are_pinned, "# v7.0.1", "# v7"),
    (rules.actions_are_pinned, f"uses: {OWN}", "uses: docker://alpine:3"),
    (rules.actions_are_pinned, f"- uses: {OWN}", "- {uses: 'actions/cache@v5'}"),
    (rules.jobs_end, "    timeout-minutes: 5\n", ""),
    (rules.rights_are_the_jobs_own, "permissions: {}", "permissions: read-all"),
    (rules.rights_are_the_jobs_own, "permissions: {}\n", ""),
    (rules.rights_are_the_jobs_own, READS, ""),
    (rules.rights_are_the_jobs_own, READS, "    permissions: write-all\n"),
    (rules.commands_are_ours, WELCOME, "pip install nox"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} && git push"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} | tee log"),
    (rules.commands_are_ours, WELCOME, f"{WELCOME} || true"),
    (rules.commands_are_ours, WELCOME, f'{WELCOME} "$(whoami)"'),
    (rules.commands_are_ours, WELCOME, "python3 -c 'import scripts'"),
    (rules.commands_are_ours, WELCOME, "gh api /user"),
    (rules.commands_are_ours, WELCOME, "gh workflow run mlops.yml; git push"),
    (
        rules.commands_hold_no_expression,
        WELCOME,
        f"{WELCOME} ${{{{ github.head_ref }}}}",
    ),
    (rules.checkouts_keep_no_token, "persist-credentials: false", "fetch-depth: 0"),
    (
        rules.checkouts_keep_no_token,
        "persist-credentials: false",
        "persist-credentials: true",
    ),
    (rules.one_job_writes, "contents: read", "contents: write"),
    (
        rules.nothing_is_skipped,
        f"uses: {OWN}",
        f"uses: {OWN}\n        continue-on-error: true",
    ),
    (rules.nothing_is_skipped, WELCOME, f'{WELCOME} "[skip ci]"'),
    (rules.writers_take_nothing_from_a_cache, "enable-cache: false", "version: '1'"),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        "enable-cache: auto",
    ),
    (rules.writers_take_nothing_from_a_cache, "contents: read", "packages: write"),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {CACHE}",
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        (
            f"enable-cache: false\n      - uses: {PYTHON}\n        with:\n         "
            " cache: pip"
        ),
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {BUILDX}",
    ),
    (
        rules.writers_take_nothing_from_a_cache,
        "enable-cache: false",
        f"enable-cache: false\n      - uses: {TRIVY}",
    ),
    (
        rules.signing_is_apart,
        "      - uses: docker/login",
        f"      - uses: {TRIVY}\n      - uses: docker/login",
    ),
    (rules.signing_is_apart, "needs: [publish]", "needs: [test]"),
    (rules.a_pull_requests_code_writes_nothing, ".base.sha", ".head.sha"),
    (rules.a_pull_requests_code_writes_nothing, "contents: read", "packages: write"),
]


def written(folder: Path, text: str) -> Workflow:
    path = folder / "workflow.yml"
    path.write_text(text)
    return Workflow.read(path)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_every_workflow_keeps_every_rule(workflow: Workflow, rule: Rule) -> None:
    assert rule(workflow) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_workflow_keeps_every_rule(tmp_path: Path, rule: Rule) -> None:
    assert rule(written(tmp_path, GOOD)) == []


@pytest.mark.parametrize(("rule", "goes", "comes"), FAULTS)
def test_a_rule_sees_its_fault(
    tmp_path: Path, rule: Rule, goes: str, comes: str
) -> None:
    assert goes in GOOD
    assert len(rule(written(tmp_path, GOOD.replace(goes, comes, 1)))) == 1


def test_no_rule_is_without_a_fault_that_it_sees() -> None:
    assert {rule for rule, *_ in FAULTS} == set(RULES)


def test_only_the_main_workflow_writes_to_the_repository() -> None:
    writers = {
        workflow.name
        for workflow in WORKFLOWS
        for job in workflow.jobs.values()
        if job["permissions"].get("contents") == "write"
    }
    assert writers <= {"mlops.yml"}


def test_a_fork_has_to_enable_nothing_for_the_main_workflow() -> None:
    # GitHub turns each workflow with a schedule off in a fork, whatever else starts it.
    for workflow in WORKFLOWS:
        if workflow.name in ("mlops.yml", "welcome.yml"):
            assert "schedule" not in workflow.content[True]


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
    fields = dict(field.split("=", 1) for field in arguments[6::2])
    assert fields == {"tasks": "$TASKS", "reason": "$REASON", "refresh_data": "true"}
    assert fields.keys() <= MLOPS[True]["workflow_dispatch"]["inputs"].keys()


MLOPS = yaml.safe_load((ROOT / ".github/workflows/mlops.yml").read_text("utf-8"))
JOBS: dict[str, dict[str, Any]] = MLOPS["jobs"]


def test_checks_and_training_wait_for_the_plan_alone_and_publishing_for_all_of_them() -> (
    None
):
    assert {JOBS[name]["needs"] for name in ("lint", "test", "train")} == {"plan"}
    assert set(JOBS["publish"]["needs"]) == {"plan", "lint", "test", "train"}
    assert set(JOBS["verdict"]["needs"]) == set(JOBS) - {"verdict", "comment"}


def test_what_ships_waits_for_a_publication_that_may_be_shipped() -> None:
    # Not for the want of a failure: a job that ran into its time limit has perhaps
    # none.
    assert JOBS["images"]["if"] == "needs.publish.outputs.ship == 'true'"
    for name in ("images-arm", "e2e"):
        assert "needs.publish.outputs.ship == 'true'" in JOBS[name]["if"]
    assert "needs.images.result == 'success'" in JOBS["smoke"]["if"]
    assert "needs.smoke.result == 'success'" in JOBS["release"]["if"]


def test_the_jobs_are_those_that_are_planned_told_and_counted() -> None:
    assert set(JOBS) - {"comment", "verdict"} == set(DOES)
    assert set(JOBS) <= set(budget.MINUTES)
    planned = plan(
        Event("push", "refs/heads/main", "main"), budget.BUDGETS["full"]
    ).jobs
    assert set(planned) == set(JOBS) - {"plan", "verdict", "comment"}


def test_a_pull_request_runs_once_and_no_push_to_the_default_branch_is_dropped() -> (
    None
):
    default = "format('refs/heads/{0}', github.event.repository.default_branch)"
    assert (
        JOBS["plan"]["if"] == f"github.event_name != 'push' || github.ref == {default}"
    )
    assert (
        f"github.ref == {default} && github.run_id || github.ref"
        in MLOPS["concurrency"]["group"]
    )
    assert (
        MLOPS["concurrency"]["cancel-in-progress"]
        == f"${{{{ github.ref != {default} }}}}"
    )
    assert "merge_group" in MLOPS[True]
    for workflow in WORKFLOWS:
        if "push" in workflow.content[True]:
            assert "dependabot/**" in workflow.content[True]["push"]["branches-ignore"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_a_sparse_checkout_holds_all_that_its_programs_import(
    workflow: Workflow, tmp_path: Path
) -> None:
    for job in workflow.jobs.values():
        for step in job.get("steps", []):
            folders = step.get("with", {}).get("sparse-checkout", "").split()
            if folders:
                checkout = tmp_path / "-".join(folders)
                for name in folders:
                    shutil.copytree(ROOT / name, checkout / name, dirs_exist_ok=True)
                for program in PROGRAM.findall(str(job["steps"])):
                    command = [sys.executable, "-S", "-c", f"import {program}"]
                    subprocess.run(command, cwd=checkout, check=True)


def test_the_status_that_a_rule_asks_for_comes_of_no_push() -> None:
    # A skipped job counts as passed, and a push to the branch of a request skips all of
    # them.
    expected = (
        "${{ github.event_name == 'push' && 'Verdict of the push' || 'Verdict' }}"
    )
    assert JOBS["verdict"]["name"] == expected
    assert "github.ref" in JOBS["plan"]["if"]


def test_no_branch_is_named() -> None:
    for workflow in WORKFLOWS:
        assert not re.search(
            r"refs/heads/\w|\[main\]|tree/main", workflow.text
        ), workflow.name


def test_the_writers_hold_the_token_in_one_step_each() -> None:
    for name in ("publish", "images", "release"):
        shown = [
            step
            for step in JOBS[name]["steps"]
            if "GITHUB_TOKEN" in step.get("env", {})
        ]
        assert len(shown) <= 1, name
        assert "env" not in JOBS[name] or "GITHUB_TOKEN" not in JOBS[name]["env"]


def test_whose_actions_are_used_is_said_to_those_who_must_allow_them() -> None:
    page = (ROOT / "docs" / "push.md").read_text("utf-8")
    used = {
        step["uses"].partition("/")[0]
        for w in WORKFLOWS
        for _, step in w.steps()
        if "uses" in step
    }
    assert used - {"."} == {owner for owner in used if f"`{owner}/*`" in page}


def test_every_artifact_may_be_uploaded_again_and_is_not_kept_for_ever() -> None:
    for _, step in (found for workflow in WORKFLOWS for found in workflow.steps()):
        if step.get("uses", "").startswith("actions/upload-artifact@"):
            assert (
                step["with"]["overwrite"] is True
                and step["with"]["retention-days"] == 14
            )
