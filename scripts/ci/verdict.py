"""What this push did, in plain words, and the one status that a branch rule has to look at."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import console
from scripts.ci.outputs import summarize

# What GitHub calls `needs`: by job its `result`, and its `outputs`.
Needs = dict[str, dict[str, Any]]
REPORT, PAGE = Path("build/report.md"), Path("build/summary.md")
MARKS = {"success": "✅", "failure": "❌", "cancelled": "🚫", "skipped": "–"}
DOES = {
    "plan": "decides what is to be done",
    "lint": "format, types, workflows, images",
    "test": "the fast tests on Python 3.11, 3.12 and 3.13",
    "test-windows": "the fast tests on Windows",
    "train": "fits and judges every candidate",
    "publish": "commits runs, decisions and champions to main",
    "images": "builds and scans the images, pushes them as `sha-…`",
    "e2e": "the slow tests",
    "verify": "starts the whole stack from the images",
    "release": "moves `latest` to the images",
}
REMEDY = {
    "lint": "Mend it (`./scripts/nox.sh -s lint` shows the same) and push again.",
    "test": "Mend it (`./scripts/nox.sh -s tests` shows the same) and push again.",
    "test-windows": "Mend it (`.\\scripts\\nox.ps1 -s tests-3.13` shows the same) and push again.",
    "train": "Mend the data or `params.yaml` (`./scripts/nox.sh -s train` shows the same) and "
    "push again.",
    "publish": "The trained bundle is kept with this run: run the failed jobs again when that is "
    "mended.",
    "images": "Mend it (`./scripts/nox.sh -s images` builds the same) and push again.",
    "e2e": "Mend it (`./scripts/nox.sh -s e2e` shows the same) and push again.",
    "verify": "Mend it (`./scripts/nox.sh -s smoke` shows the same) and push again.",
    "release": "Run the failed jobs again.",
}


@dataclass(frozen=True)
class Verdict:
    """A headline, a sentence or two below it, and whether all went as it should."""

    good: bool
    headline: str
    told: str


def judge(needs: Needs) -> Verdict:
    """Judge the jobs' results: every job of the plan must have succeeded."""
    if needs["plan"]["result"] == "skipped":
        return Verdict(True, "Nothing to do", "This is the pipeline's own commit.")
    plan = needs["plan"]["outputs"]
    wanted = json.loads(plan.get("jobs") or "[]")
    results = {job: needs[job]["result"] for job in ("plan", *wanted)}
    bad = [job for job, result in results.items() if result != "success"]
    failed = [job for job in bad if results[job] == "failure"] or bad
    if failed:
        return _failure(needs, failed[0], failed[1:])
    if not wanted:
        return Verdict(True, "Nothing to do", plan["why"])
    if headline := _output(needs, "publish", "headline"):
        return Verdict(True, f"Published: {headline}", plan["why"])
    return Verdict(True, "All good, nothing published", plan["why"])


def _failure(needs: Needs, job: str, more: list[str]) -> Verdict:
    what = "was cancelled" if needs[job]["result"] == "cancelled" else "failed"
    said = _output(needs, job, "said") or "see its log"
    others = f" So did {', '.join(more)}." if more else ""
    return Verdict(
        False,
        f"Stopped: {job} {what}",
        f"{said.rstrip('.')}. {REMEDY.get(job, 'See its log.')}{others} {_state(needs)}",
    )


def _output(needs: Needs, job: str, name: str) -> str:
    """Return an output of a job, empty if it did not run."""
    if needs[job]["result"] not in ("success", "failure"):
        return ""
    return str(needs[job]["outputs"].get(name, ""))


def _state(needs: Needs) -> str:
    """Say what a failure leaves behind."""
    if needs["publish"]["result"] == "success":
        return (
            "The runs and decisions of this push are on main; `latest` still names the images "
            "from before."
        )
    return "Nothing was published: no run, no model, no image."


def page(needs: Needs, report: str) -> str:
    """Return the page of a workflow run, as Markdown."""
    verdict = judge(needs)
    rows = [
        f"| {MARKS[needs[job]['result']]} | {job} | {does} |"
        for job, does in DOES.items()
        if needs[job]["result"] != "skipped" or job in needs["plan"]["outputs"].get("jobs", "")
    ]
    parts = [
        f"# {'✅' if verdict.good else '❌'} {verdict.headline}",
        verdict.told,
        _links(needs),
        "\n".join(["|  | job | what it does |", "|---|---|---|", *rows]),
        f"## What was tried\n{report}" if report else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _links(needs: Needs) -> str:
    """Return the addresses of the run, the published commit and the images; and who asked."""
    server, repository, run = (
        os.environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")
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
