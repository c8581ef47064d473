"""What this push did, in plain words, and the one status that a branch rule has to look
at.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci import budget
from scripts.ci.outputs import summarize

# What GitHub calls `needs`: by job its `result`, and its `outputs`.
Needs = dict[str, dict[str, Any]]
REPORT, PAGE = Path("build/report.md"), Path("build/summary.md")
MARKS = {"success": "✅", "failure": "❌", "cancelled": "🚫", "skipped": "–"}
DOES = {
    "plan": "decides what is to be done",
    "lint": "format, types, workflows, images",
    "test": "the fast tests on Python {pythons}",
    "test-windows": "the fast tests on Windows",
    "train": "fits and judges every candidate",
    "publish": "commits runs, decisions and champions",
    "images": "builds the images, pushes them as `sha-…`",
    "images-arm": "builds and pushes the same for ARM",
    "e2e": "the slow tests",
    "smoke": "starts the whole stack from the images{scan}",
    "release": "moves `latest` to the images, signs what they are made of",
}
# They follow on a publication, and only where its commit may be shipped.
SHIPPING = ("images", "images-arm", "e2e", "smoke", "release")
AGAIN = "Mend it (`{}` shows the same) and push again."
REMEDY = {
    "plan": "Mend it and run the failed jobs again.",
    "lint": AGAIN.format("bash scripts/nox.sh -s lint"),
    "test": AGAIN.format("bash scripts/nox.sh -s tests"),
    "test-windows": AGAIN.format(".\\scripts\\nox.ps1 -s tests-3.13"),
    "train": (
        "Mend the data or `params.yaml` (`bash scripts/nox.sh -s train` shows the same)"
        " and push again."
    ),
    "publish": (
        "The trained bundle is kept with this run: run the failed jobs again when that"
        " is mended."
    ),
    "images": AGAIN.format("bash scripts/nox.sh -s images"),
    "images-arm": AGAIN.format("bash scripts/nox.sh -s images"),
    "e2e": AGAIN.format("bash scripts/nox.sh -s e2e"),
    "smoke": AGAIN.format("bash scripts/nox.sh -s smoke"),
    "release": "Run the failed jobs again.",
    "scan": (
        "The table in its log names the package and the version with the fix: `bash"
        " scripts/nox.sh -s lock -- --upgrade-package NAME` takes it in; or note the"
        " CVE in `.trivyignore` with a day until which you accept it. Then push."
    ),
}


@dataclass(frozen=True)
class Verdict:
    """A headline, a sentence or two below it, and whether all went as it should."""

    good: bool
    headline: str
    told: str


def judge(needs: Needs) -> Verdict:
    """Judge the jobs' results: every job of the plan must have succeeded."""
    plan = needs["plan"]["outputs"]
    left = _output(needs, "publish", "left")
    wanted = [
        job
        for job in json.loads(plan.get("jobs") or "[]")
        if not left or not _ships(job)
    ]
    results = {job: needs[job]["result"] for job in ("plan", *wanted)}
    for result in ("failure", "cancelled", "skipped"):
        if bad := [job for job in results if results[job] == result]:
            return _stopped(needs, result, bad)
    why = " ".join(filter(None, (plan["why"], left)))
    if not wanted:
        return Verdict(True, "Nothing to do", why)
    if headline := _output(needs, "publish", "headline"):
        return Verdict(True, f"Published: {headline}", why)
    return Verdict(True, "All good, nothing published", why)


def _ships(job: str) -> bool:
    return job in SHIPPING


def _stopped(needs: Needs, result: str, jobs: list[str]) -> Verdict:
    """Say what is the matter with the first of the jobs that ended with this result."""
    job, others = jobs[0], jobs[1:]
    if result != "failure":
        what = "was cancelled" if result == "cancelled" else "did not run"
        why = (
            "Somebody cancelled the run, a newer push took its place, or a job ran into"
            " its time limit (its log says so)."
            if result == "cancelled"
            else "None failed: GitHub did not start it."
        )
        told = f"{why} Run the failed jobs again."
        return Verdict(False, f"Stopped: {job} {what}", f"{told} {_state(needs)}")
    said = _output(needs, job, "failure") or "See its log"
    remedy = REMEDY.get(_output(needs, job, "remedy")) or REMEDY[job]
    more = f" {', '.join(others)} failed, too." if others else ""
    told = f"{said.rstrip('.')}. {remedy}{more} {_state(needs)}"
    return Verdict(False, f"Stopped: {job} failed", told)


def _output(needs: Needs, job: str, name: str) -> str:
    """Return an output of a job, empty if it did not run."""
    if needs[job]["result"] not in ("success", "failure"):
        return ""
    return str(needs[job]["outputs"].get(name, ""))


def _state(needs: Needs) -> str:
    """Say what a failure leaves behind."""
    if not (commit := _output(needs, "publish", "commit")):
        return "Nothing was published: no run, no model, no image."
    kept = f"The runs and decisions of this push are published, as `{commit[:7]}`;"
    if _output(needs, "release", "digests"):
        return f"{kept} `latest` names its images."
    return f"{kept} `latest` was not moved."


def page(needs: Needs, report: str) -> str:
    """Return the page of a workflow run, as Markdown."""
    verdict, plan = judge(needs), needs["plan"]["outputs"]
    told = {
        "pythons": " and ".join(json.loads(plan.get("pythons") or "[]")),
        "scan": (
            " and scans them for known vulnerabilities"
            if plan.get("scan") == "true"
            else ""
        ),
    }
    rows = [
        f"| {MARKS[needs[job]['result']]} | {job} | {does.format(**told)} |"
        for job, does in DOES.items()
        if needs[job]["result"] != "skipped"
        or job in json.loads(plan.get("jobs") or "[]")
    ]
    parts = [
        f"# {'✅' if verdict.good else '❌'} {verdict.headline}",
        verdict.told,
        _links(needs),
        "\n".join(["|  | job | what it does |", "|---|---|---|", *rows]),
        _minutes(needs),
        f"## What was tried\n{report}" if report else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _minutes(needs: Needs) -> str:
    """Say what the jobs that ran cost where minutes are billed: by estimate, not by the
    clock.
    """
    plan = needs["plan"]["outputs"]
    if not plan.get("minutes"):
        return ""
    ran = [job for job in DOES if needs[job]["result"] in ("success", "failure")]
    counts = [len(json.loads(plan[name])) for name in ("pythons", "images")]
    estimate = budget.minutes([*ran, "verdict"], *counts)
    return (
        f"About {estimate} billed minutes, by the estimate in docs/push.md for the"
        f" budget `{plan['budget']}`; GitHub's own count is under Settings > Billing."
    )


def _links(needs: Needs) -> str:
    """Return the addresses of the run, the published commit and the images; and who
    asked.
    """
    server, repository, run = (
        os.environ.get(f"GITHUB_{name}", "")
        for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    commit = _output(needs, "publish", "commit")
    digests = _output(needs, "release", "digests").split()
    links = [f"[Workflow run]({server}/{repository}/actions/runs/{run})"]
    if commit:
        links.append(f"[commit `{commit[:7]}`]({server}/{repository}/commit/{commit})")
    links += [f"`{digest}`" for digest in digests]
    reason = os.environ.get("REASON")
    return " · ".join(links) + (f"\n\nAsked for, because: {reason}" if reason else "")


def main() -> int:
    """Write the page from `NEEDS` and the report; return 1 if anything went wrong."""
    needs = json.loads(os.environ["NEEDS"])
    text = page(needs, REPORT.read_text("utf-8") if REPORT.is_file() else "")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    summarize(text)
    verdict = judge(needs)
    print(f"{verdict.headline}. {verdict.told}")
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(console.run(main))
