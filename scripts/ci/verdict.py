"""Summarize a workflow run, and decide the one status that a branch rule requires."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci import budget
from scripts.ci.outputs import summarize

# GitHub's `needs`: the `result` and the `outputs` of each job.
Needs = dict[str, dict[str, Any]]
REPORT = Path("build/report.md")
PAGE = Path("build/summary.md")
MARKS = {
    "success": "✅",
    "failure": "❌",
    "cancelled": "🚫",
    "skipped": "–",
}
DOES = {
    "plan": "decides which jobs run",
    "lint": "format, types, workflows, images",
    "test": "the fast tests on Python {pythons}",
    "test-windows": "the fast tests on Windows",
    "train": "trains and evaluates every candidate",
    "publish": "commits runs, decisions and champions",
    "images": "builds the images, pushes them as `sha-…`",
    "images-arm": "builds and pushes the same for ARM",
    "e2e": "the slow tests",
    "smoke": "starts the whole stack from the images{scan}",
    "release": "moves `latest` to the images, signs and declares them",
    "model-releases": "releases each new champion on GitHub, signed",
}
# The results of jobs that ran to their end.
RAN = ("success", "failure")
# They follow a publication, and only if its commit may be shipped.
SHIPPING = ("images", "images-arm", "e2e", "smoke", "release", "model-releases")
AGAIN = "Fix it (`{}` shows the same) and push again."
REMEDY = {
    "plan": "Fix it and run the failed jobs again.",
    "lint": AGAIN.format("bash scripts/nox.sh -s lint"),
    "test": AGAIN.format("bash scripts/nox.sh -s tests"),
    "test-windows": AGAIN.format(".\\scripts\\nox.ps1 -s tests-3.13"),
    "train": (
        "Fix the data or `params.yaml` (`bash scripts/nox.sh -s train` shows the same)"
        " and push again."
    ),
    "publish": (
        "The trained bundle is kept with this run: run the failed jobs again when that"
        " is fixed."
    ),
    "images": AGAIN.format("bash scripts/nox.sh -s images"),
    "images-arm": AGAIN.format("bash scripts/nox.sh -s images"),
    "e2e": AGAIN.format("bash scripts/nox.sh -s e2e"),
    "smoke": AGAIN.format("bash scripts/nox.sh -s smoke"),
    "release": "Run the failed jobs again.",
    "model-releases": "Run the failed jobs again.",
    "scan": (
        "The table in its log names the package and the version with the fix: `bash"
        " scripts/nox.sh -s lock -- --upgrade-package NAME` upgrades it; or list the"
        " CVE in `.trivyignore` with the day until which you accept it. Then push."
    ),
}
# What happened to a job that neither succeeded nor failed, and why.
STOPPED = {
    "cancelled": (
        "was cancelled",
        "Somebody cancelled the run, a newer push took its place, or a job ran into its"
        " time limit (its log says so).",
    ),
    "skipped": ("did not run", "None failed: GitHub did not start it."),
}


@dataclass(frozen=True)
class Verdict:
    """A headline, a sentence or two below it, and whether everything went well."""

    good: bool
    headline: str
    details: str


def conclude(needs: Needs) -> Verdict:
    """Judge the jobs' results: every job of the plan must have succeeded."""
    plan = needs["plan"]["outputs"]
    left = _output(needs, "publish", "left")
    wanted = _planned(plan)
    if left:
        wanted = [job for job in wanted if job not in SHIPPING]
    for result in ("failure", "cancelled", "skipped"):
        jobs = ["plan", *wanted]
        stopped = [job for job in jobs if needs[job]["result"] == result]
        if stopped:
            return _stopped(needs, result, stopped)
    why = f"{plan['why']} {left}".strip()
    if not wanted:
        return Verdict(True, "Nothing to do", why)
    headline = _output(needs, "publish", "headline")
    if headline:
        return Verdict(True, f"Published: {headline}", why)
    return Verdict(True, "All good, nothing published", why)


def _planned(plan: dict[str, str]) -> list[str]:
    """Return the jobs of the plan, none if it failed."""
    jobs: list[str] = json.loads(plan.get("jobs") or "[]")
    return jobs


def _stopped(needs: Needs, result: str, jobs: list[str]) -> Verdict:
    """Explain the first of the jobs that ended with this result."""
    job, *others = jobs
    state = _state(needs)
    if result in STOPPED:
        what, why = STOPPED[result]
        details = f"{why} Run the failed jobs again. {state}"
        return Verdict(False, f"Stopped: {job} {what}", details)
    failure = _output(needs, job, "failure") or "See its log"
    remedy = REMEDY.get(_output(needs, job, "remedy")) or REMEDY[job]
    sentences = [f"{failure.rstrip('.')}.", remedy]
    if others:
        sentences.append(f"{', '.join(others)} failed, too.")
    sentences.append(state)
    return Verdict(False, f"Stopped: {job} failed", " ".join(sentences))


def _output(needs: Needs, job: str, name: str) -> str:
    """Return an output of a job, empty if it did not run."""
    if needs[job]["result"] not in RAN:
        return ""
    outputs = needs[job]["outputs"]
    return str(outputs.get(name, ""))


def _state(needs: Needs) -> str:
    """Describe what a run that stopped leaves behind."""
    commit = _output(needs, "publish", "commit")
    if not commit:
        return "Nothing was published: no run, no model, no image."
    kept = f"The runs and decisions of this push are published, as `{commit[:7]}`;"
    if _output(needs, "release", "digests"):
        return f"{kept} `latest` names its images."
    return f"{kept} `latest` was not moved."


def page(needs: Needs, report: str) -> str:
    """Return the page of a workflow run, as Markdown."""
    verdict = conclude(needs)
    mark = "✅" if verdict.good else "❌"
    parts = [
        f"# {mark} {verdict.headline}",
        verdict.details,
        _links(needs),
        _table(needs),
        _minutes(needs),
    ]
    if report:
        parts.append(f"## What was tried\n{report}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(needs: Needs) -> str:
    """Return a table of the jobs that ran, or that should have run."""
    plan = needs["plan"]["outputs"]
    planned = _planned(plan)
    versions = json.loads(plan.get("pythons") or "[]")
    pythons = " and ".join(versions)
    scan = ""
    if plan.get("scan") == "true":
        scan = " and scans them for known vulnerabilities"
    lines = ["|  | job | what it does |", "|---|---|---|"]
    for job, does in DOES.items():
        result = needs[job]["result"]
        if result != "skipped" or job in planned:
            mark = MARKS[result]
            does = does.format(pythons=pythons, scan=scan)
            lines.append(f"| {mark} | {job} | {does} |")
    return "\n".join(lines)


def _minutes(needs: Needs) -> str:
    """Estimate what the jobs that ran cost, where minutes are billed."""
    plan = needs["plan"]["outputs"]
    if not plan.get("minutes"):
        return ""
    ran = ["verdict"]
    for job in DOES:
        if needs[job]["result"] in RAN:
            ran.append(job)
    pythons = len(json.loads(plan["pythons"]))
    images = len(json.loads(plan["images"]))
    shards = len(json.loads(plan["shards"]))
    estimate = budget.minutes(ran, pythons, images, shards)
    return (
        f"About {estimate} billed minutes, by the estimate in docs/push.md for the"
        f" budget `{plan['budget']}`; GitHub's own count is under Settings > Billing."
    )


def _links(needs: Needs) -> str:
    """Return links to the run, the published commit and the images, and the reason."""
    server = os.environ.get("GITHUB_SERVER_URL", "")
    repository = os.environ.get("GITHUB_REPOSITORY", "")
    run = os.environ.get("GITHUB_RUN_ID", "")
    site = f"{server}/{repository}"
    links = [f"[Workflow run]({site}/actions/runs/{run})"]
    commit = _output(needs, "publish", "commit")
    if commit:
        short = commit[:7]
        links.append(f"[commit `{short}`]({site}/commit/{commit})")
    for digest in _output(needs, "release", "digests").split():
        links.append(f"`{digest}`")
    text = " · ".join(links)
    reason = os.environ.get("REASON")
    if reason:
        text += f"\n\nReason: {reason}"
    return text


def main() -> int:
    """Write the page from `NEEDS` and the report; return 1 if anything went wrong."""
    needs = json.loads(os.environ["NEEDS"])
    report = ""
    if REPORT.is_file():
        report = REPORT.read_text("utf-8")
    text = page(needs, report)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    summarize(text)
    verdict = conclude(needs)
    print(f"{verdict.headline}. {verdict.details}")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(console.run(main))
