"""GitHub's files other than workflows agree with the rest of the repository."""

import json
import re
import tomllib
from typing import Any

import yaml
from packaging.requirements import Requirement

from tests.paths import ROOT

GITHUB = ROOT / ".github"
DEPENDABOT = yaml.safe_load((GITHUB / "dependabot.yml").read_text("utf-8"))
UPDATES: dict[str, dict[str, Any]] = {
    update["package-ecosystem"]: update for update in DEPENDABOT["updates"]
}


def test_the_ruleset_lets_the_published_commit_pass() -> None:
    ruleset = json.loads((GITHUB / "rulesets/main.json").read_text("utf-8"))
    types = [rule["type"] for rule in ruleset["rules"]]
    names = ruleset["conditions"]["ref_name"]
    assert types == ["deletion", "non_fast_forward"]
    assert names["include"] == ["~DEFAULT_BRANCH"]
    assert ruleset["target"] == "branch"
    assert ruleset["enforcement"] == "active"


def test_updates_come_grouped_monthly_and_not_on_their_first_day() -> None:
    assert set(UPDATES) == {"github-actions", "pip", "npm", "docker", "docker-compose"}
    for update in UPDATES.values():
        for folder in update.get("directories") or [update["directory"]]:
            assert (ROOT / folder.lstrip("/")).is_dir()
        assert update["schedule"]["interval"] == "monthly"
        assert len(update["groups"]) == 1
        assert update["cooldown"]["default-days"] >= 7
        assert update["commit-message"]["prefix"] in ("build", "ci")


def test_no_update_is_proposed_that_pyproject_forbids() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    held = set()
    for group in project["dependency-groups"].values():
        for line in group:
            # An entry that includes another group is a table.
            if isinstance(line, str):
                requirement = Requirement(line)
                if re.search("==|<", str(requirement.specifier)):
                    held.add(requirement.name)
    ignored = set()
    for entry in UPDATES["pip"]["ignore"]:
        ignored.add(entry["dependency-name"].rstrip("*"))
    assert held == ignored


def test_a_pull_request_starts_with_the_question_where_it_goes() -> None:
    template = (GITHUB / "pull_request_template.md").read_text("utf-8")
    first_line, *_ = template.splitlines()
    assert "Check the base repository" in first_line


def test_no_form_leads_out_of_the_repository() -> None:
    forms = list((GITHUB / "ISSUE_TEMPLATE").iterdir())
    forms.append(GITHUB / "pull_request_template.md")
    for path in forms:
        assert "://" not in path.read_text("utf-8"), path.name


def test_an_environment_takes_approved_merges_alone() -> None:
    ruleset = json.loads((GITHUB / "rulesets/environments.json").read_text("utf-8"))
    workflow = yaml.safe_load((GITHUB / "workflows/promotion.yml").read_text("utf-8"))
    rules = {rule["type"]: rule.get("parameters", {}) for rule in ruleset["rules"]}
    # Without a merge commit, the released commit would not be on the branch.
    assert rules["pull_request"]["allowed_merge_methods"] == ["merge"]
    (check,) = rules["required_status_checks"]["required_status_checks"]
    approve = workflow["jobs"]["approve"]
    assert check == {"context": approve["name"]}
    assert approve["environment"] == "${{ github.base_ref }}"
    # YAML reads the key `on` as true.
    (pattern,) = workflow[True]["pull_request_target"]["branches"]
    assert ruleset["conditions"]["ref_name"]["include"] == [f"refs/heads/{pattern}"]
