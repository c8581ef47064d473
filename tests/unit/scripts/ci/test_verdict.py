"""The page of a run, and its one status, from results as GitHub gives them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.ci.budget import BUDGETS
from scripts.ci.plan import Event, Plan, plan
from scripts.ci.verdict import DOES, SHIPPING, judge, page
from tests.paths import ROOT

Needs = dict[str, dict[str, Any]]
FULL = BUDGETS["full"]
MAIN = plan(Event("push", "refs/heads/main", "main"), FULL)
REQUEST = plan(Event("pull_request", "refs/pull/1/merge", "main"), FULL)
TOPIC = plan(Event("workflow_dispatch", "refs/heads/topic", "main"), FULL)
OWN = plan(Event("push", "refs/heads/main", "main", own=True), FULL)
PUBLISHED = {
    "commit": "0123456789abcdef",
    "headline": "iris v2 promoted",
    "ship": "true",
}


def needs(planned: Plan = MAIN, **results: str) -> Needs:
    """Return `needs`: the jobs of a plan have succeeded, but for those named (`_` for
    `-`).
    """
    named = {job.replace("_", "-"): result for job, result in results.items()}
    found: Needs = {}
    for job in DOES:
        usual = "success" if job in ("plan", *planned.jobs) else "skipped"
        found[job] = {"result": named.get(job, usual), "outputs": {}}
    found["plan"]["outputs"] = {
        "jobs": json.dumps(planned.jobs),
        "why": planned.why,
        "budget": "full",
        "minutes": "",
        "pythons": json.dumps(FULL.pythons),
        "images": json.dumps(FULL.images),
        "scan": "true",
    }
    if found["publish"]["result"] == "success":
        found["publish"]["outputs"] = dict(PUBLISHED)
    if found["release"]["result"] == "success":
        found["release"]["outputs"] = {"digests": "ghcr.io/o/mlops-api@sha256:1"}
    return found


def test_a_push_that_went_well_is_told_with_its_champions() -> None:
    text = page(needs(), "### Iris: promoted as v2")
    assert text.startswith("# ✅ Published: iris v2 promoted\n")
    for told in ("commit `0123456`", "mlops-api@sha256:1", "### Iris: promoted as v2"):
        assert told in text
    assert judge(needs()).good


def test_a_pull_request_that_went_well_says_that_nothing_was_published() -> None:
    verdict = judge(needs(REQUEST))
    assert verdict.good and "nothing published" in verdict.headline
    assert "| publish |" not in page(needs(REQUEST), "")


@pytest.mark.parametrize("planned", [MAIN, REQUEST], ids=["main", "request"])
@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_every_job_of_the_plan_must_have_succeeded(planned: Plan, result: str) -> None:
    for job in planned.jobs:
        assert not judge(needs(planned, **{job: result})).good, job


def test_a_job_that_was_not_planned_is_not_missed() -> None:
    assert judge(needs(TOPIC)).good


def test_the_first_fault_is_told_with_what_to_do_and_what_is_left_behind() -> None:
    failed = needs(
        lint="failure", publish="skipped", images="skipped", release="skipped"
    )
    failed["lint"]["outputs"]["failure"] = "app/a.py:1: F401 unused."
    verdict = judge(failed)
    assert verdict.headline == "Stopped: lint failed"
    assert verdict.details.startswith(
        "app/a.py:1: F401 unused. Fix it (`bash scripts/nox.sh -s lint`"
    )
    assert verdict.details.endswith(
        "Nothing was published: no run, no model, no image."
    )


def test_a_fault_after_publishing_says_what_is_there() -> None:
    verdict = judge(needs(smoke="failure", release="skipped"))
    assert verdict.headline == "Stopped: smoke failed"
    assert "are published, as `0123456`; `latest` was not moved" in verdict.details


def test_outputs_of_a_job_that_did_not_run_are_not_believed() -> None:
    skipped = needs(train="failure", publish="skipped", release="skipped")
    # So act fills them.
    skipped["publish"]["outputs"] = {"commit": "${{ steps.publish.outputs.commit }}"}
    assert "${{" not in page(skipped, "")


def test_the_pipelines_own_commit_is_nothing_to_do() -> None:
    own = needs(OWN)
    assert judge(own).good and judge(own).headline == "Nothing to do"


def test_images_that_are_left_to_another_run_are_no_fault_and_it_is_said() -> None:
    left = needs(**{job: "skipped" for job in SHIPPING})
    left["publish"]["outputs"] |= {
        "ship": "false",
        "left": "They are left to that push's run.",
    }
    assert judge(left).good and judge(left).details.endswith(
        "They are left to that push's run."
    )
    assert judge(left).headline == "Published: iris v2 promoted"
    # It excuses what was left alone, and nothing before it.
    left["lint"]["result"] = "failure"
    assert not judge(left).good


def test_what_was_cancelled_is_not_told_to_be_mended() -> None:
    for job in ("test", "publish"):
        verdict = judge(needs(**{job: "cancelled"}, release="skipped"))
        assert verdict.headline == f"Stopped: {job} was cancelled"
        assert "time limit" in verdict.details and "Fix" not in verdict.details
    # Who failed comes first, what was cancelled with it is no fault of its own.
    assert (
        judge(needs(lint="cancelled", train="failure")).headline
        == "Stopped: train failed"
    )


@pytest.mark.parametrize(
    ("results", "state"),
    [
        (
            {"test-windows": "failure"},
            "published, as `0123456`; `latest` names its images.",
        ),
        (
            {"e2e": "failure", "release": "skipped"},
            "`0123456`; `latest` was not moved.",
        ),
        (
            {"publish": "failure", "release": "skipped"},
            "Nothing was published: no run, no model",
        ),
    ],
)
def test_what_is_left_behind_is_what_is_there(
    results: dict[str, str], state: str
) -> None:
    assert state in judge(needs(**results)).details


def test_a_known_hole_comes_with_a_remedy_that_works() -> None:
    red = needs(smoke="failure", release="skipped")
    red["smoke"]["outputs"] = {"failure": "", "remedy": "scan"}
    told = judge(red).details
    assert (
        "--upgrade-package NAME" in told
        and ".trivyignore" in told
        and "smoke" not in told
    )


def test_minutes_are_told_where_they_are_billed_and_for_the_jobs_that_ran() -> None:
    assert "billed" not in page(needs(), "")
    private = needs(
        lint="failure", publish="skipped", **{job: "skipped" for job in SHIPPING}
    )
    private["plan"]["outputs"] |= {
        "minutes": "67",
        "pythons": '["3.13"]',
        "budget": "small",
    }
    # plan, lint, test once, Windows, train, verdict
    assert "About 25 billed minutes, by the estimate" in page(private, "")
    assert "the fast tests on Python 3.13 |" in page(private, "")


@pytest.mark.parametrize(("result", "status"), [("success", 0), ("failure", 1)])
def test_the_status_is_that_of_the_run(
    tmp_path: Path, result: str, status: int
) -> None:
    summary = tmp_path / "summary.md"
    environment = os.environ | {
        "NEEDS": json.dumps(needs(train=result)),
        "GITHUB_STEP_SUMMARY": str(summary),
        "PYTHONPATH": str(ROOT),
        "REASON": "the data of iris changed",
    }
    command = [sys.executable, "-m", "scripts.ci.verdict"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == status, done.stderr
    assert summary.read_text("utf-8").strip() == (
        (tmp_path / "build" / "summary.md").read_text("utf-8").strip()
    )
    assert "the data of iris changed" in summary.read_text("utf-8")
