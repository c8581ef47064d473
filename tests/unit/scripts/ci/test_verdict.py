"""The page of a run, and its one status, from results as GitHub gives them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.ci.budget import BUDGETS
from scripts.ci.plan import Event, Plan, plan
from scripts.ci.verdict import DOES, SHIPPING, conclude, page
from tests.paths import ROOT
from tests.support.json_content import Json

Needs = dict[str, Json]
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
    """Return `needs` after success, except for the jobs in `results`."""
    jobs: Needs = {}
    for job in DOES:
        result = "skipped"
        if job in ("plan", *planned.jobs):
            result = "success"
        jobs[job] = {"result": results.get(job, result), "outputs": {}}
    jobs["plan"]["outputs"] = {
        "jobs": json.dumps(planned.jobs),
        "why": planned.why,
        "budget": "full",
        "minutes": "",
        "pythons": json.dumps(FULL.pythons),
        "images": json.dumps(FULL.images),
        "shards": json.dumps([""]),
        "scan": "true",
    }
    if jobs["publish"]["result"] == "success":
        jobs["publish"]["outputs"] = dict(PUBLISHED)
    if jobs["release"]["result"] == "success":
        jobs["release"]["outputs"] = {"digests": "ghcr.io/o/mlops-api@sha256:1"}
    return jobs


def test_a_successful_push_is_reported_with_its_champions() -> None:
    text = page(needs(), "### Iris: promoted as v2")
    assert text.startswith("# ✅ Published: iris v2 promoted\n")
    assert "commit `0123456`" in text
    assert "mlops-api@sha256:1" in text
    assert "### Iris: promoted as v2" in text
    assert conclude(needs()).good


def test_a_successful_pull_request_publishes_nothing() -> None:
    verdict = conclude(needs(REQUEST))
    assert verdict.good
    assert "nothing published" in verdict.headline
    assert "| publish |" not in page(needs(REQUEST), "")


@pytest.mark.parametrize("planned", [MAIN, REQUEST], ids=["main", "request"])
@pytest.mark.parametrize("result", ["failure", "cancelled", "skipped"])
def test_every_job_of_the_plan_must_have_succeeded(planned: Plan, result: str) -> None:
    for job in planned.jobs:
        verdict = conclude(needs(planned, **{job: result}))
        assert not verdict.good, job


def test_a_job_that_was_not_planned_is_not_missed() -> None:
    assert conclude(needs(TOPIC)).good


def test_the_first_failure_comes_with_a_remedy_and_the_state() -> None:
    failed = needs(
        lint="failure", publish="skipped", images="skipped", release="skipped"
    )
    failed["lint"]["outputs"]["failure"] = "app/a.py:1: F401 unused."
    verdict = conclude(failed)
    assert verdict.headline == "Stopped: lint failed"
    assert verdict.details.startswith(
        "app/a.py:1: F401 unused. Fix it (`bash scripts/nox.sh -s lint`"
    )
    assert verdict.details.endswith(
        "Nothing was published: no run, no model, no image."
    )


def test_a_failure_after_publishing_names_the_commit() -> None:
    verdict = conclude(needs(smoke="failure", release="skipped"))
    assert verdict.headline == "Stopped: smoke failed"
    assert "are published, as `0123456`; `latest` was not moved" in verdict.details


def test_outputs_of_a_job_that_did_not_run_are_ignored() -> None:
    skipped = needs(train="failure", publish="skipped", release="skipped")
    # `act` fills them like this.
    skipped["publish"]["outputs"] = {"commit": "${{ steps.publish.outputs.commit }}"}
    assert "${{" not in page(skipped, "")


def test_the_pipelines_own_commit_is_nothing_to_do() -> None:
    own = needs(OWN)
    assert conclude(own).good
    assert conclude(own).headline == "Nothing to do"


def test_images_that_are_left_to_another_run_are_not_a_failure() -> None:
    left = needs(**{job: "skipped" for job in SHIPPING})
    left["publish"]["outputs"] |= {
        "ship": "false",
        "left": "They are left to that push's run.",
    }
    assert conclude(left).good
    assert conclude(left).details.endswith("They are left to that push's run.")
    assert conclude(left).headline == "Published: iris v2 promoted"
    # It does not excuse failures of the other jobs.
    left["lint"]["result"] = "failure"
    assert not conclude(left).good


def test_a_cancelled_job_has_no_remedy() -> None:
    for job in ("test", "publish"):
        verdict = conclude(needs(**{job: "cancelled"}, release="skipped"))
        assert verdict.headline == f"Stopped: {job} was cancelled"
        assert "time limit" in verdict.details
        assert "Fix" not in verdict.details
    # A failed job comes before a job that was cancelled because of it.
    verdict = conclude(needs(lint="cancelled", train="failure"))
    assert verdict.headline == "Stopped: train failed"


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
def test_a_failure_says_what_was_published(results: dict[str, str], state: str) -> None:
    assert state in conclude(needs(**results)).details


def test_a_known_vulnerability_comes_with_a_remedy() -> None:
    red = needs(smoke="failure", release="skipped")
    red["smoke"]["outputs"] = {"failure": "", "remedy": "scan"}
    details = conclude(red).details
    assert "--upgrade-package NAME" in details
    assert ".trivyignore" in details
    assert "smoke" not in details


def test_billed_minutes_are_those_of_the_jobs_that_ran() -> None:
    assert "billed" not in page(needs(), "")
    private = needs(
        lint="failure", publish="skipped", **{job: "skipped" for job in SHIPPING}
    )
    private["plan"]["outputs"] |= {
        "minutes": "67",
        "pythons": '["3.13"]',
        "budget": "small",
    }
    text = page(private, "")
    # plan, lint, test once, Windows, train, verdict
    assert "About 25 billed minutes, by the estimate" in text
    assert "the fast tests on Python 3.13 |" in text
    private["plan"]["outputs"]["shards"] = '["1", "2", "3"]'
    assert "About 28 billed minutes" in page(private, "")


@pytest.mark.parametrize(
    ("result", "status"),
    [
        ("success", 0),
        ("failure", 1),
    ],
)
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
    text = summary.read_text("utf-8")
    file = tmp_path / "build" / "summary.md"
    assert text.strip() == file.read_text("utf-8").strip()
    assert "the data of iris changed" in text
