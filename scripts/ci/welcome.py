"""List what is not set up in a fork or a copy: `python3 -m scripts.ci.welcome`.

It asks GitHub's API (see `scripts/ci/api.py` for what it needs) and appends Markdown to
the file that GITHUB_STEP_SUMMARY names; without one it prints. The exit status is 0
even if something is not set up.
"""

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from scripts import console
from scripts.ci import api
from scripts.ci.outputs import summarize

RULESET = ".github/rulesets/main.json"
KEPT = {"deletion": "be deleted", "non_fast_forward": "lose commits to a forced push"}
# Rules that a plain push of one unsigned commit does not meet.
REFUSING = {
    "pull_request": "a pull request",
    "required_status_checks": "passed status checks",
    "required_signatures": "signed commits",
    "update": "that nobody pushes",
    "merge_queue": "a merge queue",
    "required_deployments": "a deployment",
    "workflows": "passed workflows",
    "code_scanning": "code scanning results",
}
WAYS_OUT = (
    "keep only 'Restrict deletions' and 'Block force pushes' for it, publish to a"
    " branch of its own (the variable PUBLISH_BRANCH), or push with a deploy key that"
    " the ruleset's bypass list names (the secret PUBLISH_KEY); docs/how-to.md has the"
    " steps"
)
OFF = {
    "disabled_fork": "as GitHub does in a fork to each workflow with a schedule",
    "disabled_inactivity": "by GitHub, after 60 days without a commit",
    "disabled_manually": "manually",
}
NO_RULESETS = " (a private repository has none on GitHub's free plan)"
MISSED = {
    "data.yml": "nobody notices when the sources of the data change",
    "nightly.yml": (
        "the longest tests never run, and with a small budget neither do the slow ones"
        " and the scan of the images"
    ),
    "pages.yml": (
        "where GitHub Pages is on, the documentation and the history are not published"
    ),
    "mlops.yml": "pushes are neither tested nor trained nor published",
    "security.yml": "workflows, code and dependencies are not scanned for vulnerabilities",
}


class Finding(NamedTuple):
    """A sentence on what is off and what that means, and the page to change it."""

    text: str
    page: str


Findings = Iterator[Finding]


class Section(NamedTuple):
    """A part of GitHub's API, and what its answer is checked for.

    Attributes:
        name: its name in a sentence.
        check: yields the findings, from the answer and the repository's address.
    """

    path: str
    name: str
    check: Callable[[Any, str], Findings]


def ask(path: str) -> Any:
    """Return the API's answer as JSON, None if this token may not read it.

    Raises:
        ApiError: there is no answer, or none that can be read.
    """
    try:
        return api.call(path)
    except api.ApiError as error:
        if error.code in (403, 404):
            return None
        raise


def repository(answer: dict[str, Any], site: str) -> Findings:
    """Check the kind of repository, and its features."""
    if not answer["has_issues"]:
        text = "Issues are off: there is no place to report what does not work."
        yield Finding(text, f"{site}/settings#features")
    if answer["fork"]:
        text = (
            "This is a fork: GitHub proposes the original as the base of each pull"
            " request, so choose this repository there, or make a copy with 'Use this"
            " template' instead."
        )
        yield Finding(text, f"{site}/compare")
    if answer["visibility"] != "public":
        text = (
            f"The repository is {answer['visibility']}: CodeQL, dependency review and"
            " Scorecard are left out, because they need what GitHub gives to public"
            " repositories. Minutes are billed: docs/push.md says how many, and the"
            " variable MLOPS_BUDGET what is done for them. When none are left, jobs do"
            " not start (Settings > Billing)."
        )
        yield Finding(text, f"{site}/settings")


def workflows(answer: dict[str, Any], site: str) -> Findings:
    """Look for workflows that are turned off."""
    for workflow in answer["workflows"]:
        _, _, name = workflow["path"].rpartition("/")
        why = OFF.get(workflow["state"])
        if why:
            missed = MISSED.get(name, "it does not run")
            text = (
                f"`{name}` is turned off, {why}: {missed}, until you press 'Enable"
                " workflow'."
            )
            yield Finding(text, f"{site}/actions/workflows/{name}")


def rules(branch: str, answer: list[dict[str, Any]], site: str) -> Findings:
    """Look for rules that are missing, or that would refuse the published commit."""
    settings_page = f"{site}/settings/rules"
    types = [rule["type"] for rule in answer]
    lacking = [danger for rule, danger in KEPT.items() if rule not in types]
    if lacking:
        dangers = " and ".join(lacking)
        text = (
            f"`{branch}` is not protected: it can {dangers}, and the"
            f" history with it; import `{RULESET}` (New ruleset > Import a ruleset)."
        )
        yield Finding(text, settings_page)
    refusing = [demand for rule, demand in REFUSING.items() if rule in types]
    if refusing:
        demands = ", ".join(refusing)
        text = (
            f"A rule for `{branch}` demands {demands}: it would refuse the"
            f" commit that the workflow publishes; {WAYS_OUT}."
        )
        yield Finding(text, settings_page)


def page(server: str, name: str) -> str:
    """Return what is off as Markdown.

    Raises:
        ApiError: GitHub does not answer.
        MissingVariable: the step does not pass a variable.
    """
    site = f"{server}/{name}"
    described = ask("") or {}
    findings: list[Finding] = []
    hidden = []
    if described:
        findings += repository(described, site)
    else:
        hidden.append("the repository's features")
    for section in _sections(described):
        answer = ask(section.path)
        if answer is None:
            hidden.append(section.name)
        else:
            findings += section.check(answer, site)
    lines = []
    for finding in findings:
        lines.append(f"- {finding.text} [Change it]({finding.page})")
    if hidden:
        lines.append(f"- Not visible to the workflow's token: {', '.join(hidden)}.")
    if not lines:
        lines.append("Nothing: all is as it should be.")
    return "\n".join(["## What is still off", "", *lines])


def _sections(described: dict[str, Any]) -> list[Section]:
    """Return what is checked beside the repository itself."""
    branch = described.get("default_branch", "main")
    quoted = quote(branch, safe="")
    rules_name = f"the rules for `{branch}`"
    if described.get("visibility", "public") != "public":
        rules_name += NO_RULESETS
    return [
        Section("/actions/workflows?per_page=100", "the workflows", workflows),
        Section(
            f"/rules/branches/{quoted}?per_page=100",
            rules_name,
            partial(rules, branch),
        ),
    ]


def main() -> int:
    """Write the page where GitHub shows it; return 1 or 2 if it cannot."""
    try:
        server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
        text = page(server, api.needed("GITHUB_REPOSITORY"))
    except (api.ApiError, api.MissingVariable) as error:
        print(f"welcome: {error}", file=sys.stderr)
        return 2 if isinstance(error, api.MissingVariable) else 1
    summarize(text)
    return 0


if __name__ == "__main__":
    sys.exit(console.run(main))
