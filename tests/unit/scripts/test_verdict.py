"""The page of a run, and its one status, from results as GitHub gives them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.ci import plan
from scripts.ci.verdict import DOES, judge, page

ROOT = Path(__file__).parents[3]
Needs = dict[str, dict[str, Any]]
MAIN = plan.plan("push", "refs/heads/main", own=False)
REQUEST = plan.plan("pull_request", "refs/pull/1/merge", own=False)
PUBLISHED = {"commit": "0123456789abcdef", "headline": "iris v2 promoted"}


def needs(planned: plan.Plan = MAIN, **results: str) -> Needs:
    """Return `needs`: the jobs of a plan have succeeded, but for those named (`_` for `-`)."""
    named = {job.replace("_", "-"): result for job, result in results.items()}
    found: Needs = {}
    for job in DOES:
        usual = "success" if job in ("plan", *planned.jobs) else "skipped"
        found[job] = {"result": named.get(job, usual), "outputs": {}}
    found["plan"]["outputs"] = {"jobs": json.dumps(planned.jobs), "why": planned.why}
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
def test_every_job_of_the_plan_must_have_succeeded(planned: plan.Plan, result: str) -> None:
    for job in planned.jobs:
        assert not judge(needs(planned, **{job: result})).good, job


def test_a_job_that_was_not_planned_is_not_missed() -> None:
    assert judge(needs(plan.plan("push", "refs/heads/topic", own=False))).good


def test_the_first_fault_is_told_with_what_to_do_and_what_is_left_behind() -> None:
    failed = needs(lint="failure", publish="skipped", images="skipped", release="skipped")
    failed["lint"]["outputs"]["said"] = "app/a.py:1: F401 unused."
    verdict = judge(failed)
    assert verdict.headline == "Stopped: lint failed"
    assert verdict.told.startswith("app/a.py:1: F401 unused. Mend it (`./scripts/nox.sh -s lint`")
    assert verdict.told.endswith("Nothing was published: no run, no model, no image.")


def test_a_fault_after_publishing_says_what_is_on_main() -> None:
    verdict = judge(needs(verify="failure", release="skipped"))
    assert verdict.headline == "Stopped: verify failed"
    assert "are on main; `latest` still names the images from before" in verdict.told


def test_outputs_of_a_job_that_did_not_run_are_not_believed() -> None:
    skipped = needs(train="failure", publish="skipped", release="skipped")
    # So act fills them.
    skipped["publish"]["outputs"] = {"commit": "${{ steps.publish.outputs.commit }}"}
    assert "${{" not in page(skipped, "")


def test_the_pipelines_own_commit_is_nothing_to_do() -> None:
    own = needs(plan.plan("push", "refs/heads/main", own=True))
    assert judge(own).good and judge(own).headline == "Nothing to do"
    nothing = {job: {"result": "skipped", "outputs": {}} for job in DOES}
    assert judge(nothing).good and page(nothing, "").startswith("# ✅ Nothing to do")


@pytest.mark.parametrize(("result", "status"), [("success", 0), ("failure", 1)])
def test_the_status_is_that_of_the_run(tmp_path: Path, result: str, status: int) -> None:
    summary = tmp_path / "summary.md"
    environment = os.environ | {
        "NEEDS": json.dumps(needs(train=result)),
        "GITHUB_STEP_SUMMARY": str(summary),
        "PYTHONPATH": str(ROOT),
        "REASON": "the data of iris changed",
    }
    command = [sys.executable, "-m", "scripts.ci.verdict"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == status, done.stderr
    assert summary.read_text("utf-8").strip() == (
        (tmp_path / "build" / "summary.md").read_text("utf-8").strip()
    )
    assert "the data of iris changed" in summary.read_text("utf-8")
