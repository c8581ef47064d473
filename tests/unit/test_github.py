"""GitHub's files other than workflows agree with the rest of the repository."""

import json
import re
import tomllib
from typing import Any

import yaml
from packaging.requirements import Requirement

from tests.paths import ROOT

GITHUB = ROOT / ".github"
Node = dict[str, Any]


def read(name: str) -> str:
    """Return the text of a file for GitHub."""
    path = GITHUB / name
    return path.read_text("utf-8")


def read_json(name: str) -> Node:
    content: Node = json.loads(read(name))
    return content


def read_yaml(name: str) -> Any:
    return yaml.safe_load(read(name))


def updates() -> dict[str, Node]:
    """Return Dependabot's updates by their ecosystems."""
    dependabot = read_yaml("dependabot.yml")
    by_ecosystem = {}
    for update in dependabot["updates"]:
        ecosystem = update["package-ecosystem"]
        by_ecosystem[ecosystem] = update
    return by_ecosystem


UPDATES = updates()
ECOSYSTEMS = {
    "github-actions",
    "pip",
    "npm",
    "docker",
    "docker-compose",
}


def test_the_ruleset_lets_the_published_commit_pass() -> None:
    ruleset = read_json("rulesets/main.json")
    types = [rule["type"] for rule in ruleset["rules"]]
    names = ruleset["conditions"]["ref_name"]
    assert types == ["deletion", "non_fast_forward"]
    assert names["include"] == ["~DEFAULT_BRANCH"]
    assert ruleset["target"] == "branch"
    assert ruleset["enforcement"] == "active"


def test_updates_come_grouped_monthly_and_not_on_their_first_day() -> None:
    assert set(UPDATES) == ECOSYSTEMS
    for update in UPDATES.values():
        folders = update.get("directories") or [update["directory"]]
        for folder in folders:
            path = ROOT / folder.lstrip("/")
            assert path.is_dir()
        schedule = update["schedule"]
        assert schedule["interval"] == "monthly"
        assert len(update["groups"]) == 1
        cooldown = update["cooldown"]
        assert cooldown["default-days"] >= 7
        message = update["commit-message"]
        assert message["prefix"] in ("build", "ci")


def requirements() -> list[Requirement]:
    """Return the requirements of all groups."""
    path = ROOT / "pyproject.toml"
    project = tomllib.loads(path.read_text("utf-8"))
    groups = project["dependency-groups"]
    parsed = []
    for group in groups.values():
        for line in group:
            # An entry that includes another group is a table.
            if isinstance(line, str):
                requirement = Requirement(line)
                parsed.append(requirement)
    return parsed


def test_no_update_is_proposed_that_pyproject_forbids() -> None:
    held = set()
    for requirement in requirements():
        specifier = str(requirement.specifier)
        if re.search("==|<", specifier):
            held.add(requirement.name)
    ignored = set()
    for entry in UPDATES["pip"]["ignore"]:
        pattern = entry["dependency-name"]
        ignored.add(pattern.rstrip("*"))
    assert held == ignored


def test_a_pull_request_starts_with_the_question_where_it_goes() -> None:
    template = read("pull_request_template.md")
    first_line, *_ = template.splitlines()
    assert "Check the base repository" in first_line


def test_no_form_leads_out_of_the_repository() -> None:
    issues = GITHUB / "ISSUE_TEMPLATE"
    pull_request = GITHUB / "pull_request_template.md"
    forms = [*issues.iterdir(), pull_request]
    for path in forms:
        text = path.read_text("utf-8")
        assert "://" not in text, path.name


def test_an_environment_takes_approved_merges_alone() -> None:
    ruleset = read_json("rulesets/environments.json")
    workflow = read_yaml("workflows/promotion.yml")
    rules = {}
    for rule in ruleset["rules"]:
        kind = rule["type"]
        rules[kind] = rule.get("parameters", {})
    # Without a merge commit, the released commit would not be on the branch.
    merges = rules["pull_request"]
    assert merges["allowed_merge_methods"] == ["merge"]
    checks = rules["required_status_checks"]
    (check,) = checks["required_status_checks"]
    approve = workflow["jobs"]["approve"]
    assert check == {"context": approve["name"]}
    assert approve["environment"] == "${{ github.base_ref }}"
    # YAML reads the key `on` as true.
    events = workflow[True]
    (pattern,) = events["pull_request_target"]["branches"]
    names = ruleset["conditions"]["ref_name"]
    assert names["include"] == [f"refs/heads/{pattern}"]
