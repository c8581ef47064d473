"""What GitHub reads besides the workflows agrees with the rest of the repository."""

import json
import re
import tomllib
from typing import Any

import yaml
from packaging.requirements import Requirement

from tests.paths import ROOT

GITHUB = ROOT / ".github"
UPDATES: dict[str, dict[str, Any]] = {
    update["package-ecosystem"]: update
    for update in yaml.safe_load((GITHUB / "dependabot.yml").read_text("utf-8"))[
        "updates"
    ]
}


def test_the_ruleset_lets_the_published_commit_pass() -> None:
    ruleset = json.loads((GITHUB / "rulesets/main.json").read_text("utf-8"))
    assert [rule["type"] for rule in ruleset["rules"]] == [
        "deletion",
        "non_fast_forward",
    ]
    assert ruleset["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    assert (ruleset["target"], ruleset["enforcement"]) == ("branch", "active")


def test_updates_come_grouped_monthly_and_not_on_their_first_day() -> None:
    assert set(UPDATES) == {"github-actions", "pip", "npm", "docker", "docker-compose"}
    for update in UPDATES.values():
        assert (ROOT / update["directory"].lstrip("/")).is_dir()
        assert (
            update["schedule"]["interval"] == "monthly" and len(update["groups"]) == 1
        )
        assert update["cooldown"]["default-days"] >= 7
        assert update["commit-message"]["prefix"] in ("build", "ci")


def test_no_update_is_proposed_that_pyproject_forbids() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
        "dependency-groups"
    ]
    lines = [
        line for group in groups.values() for line in group if isinstance(line, str)
    ]
    required = [Requirement(line) for line in lines]
    ignored = [each["dependency-name"] for each in UPDATES["pip"]["ignore"]]
    held = {each.name for each in required if re.search("==|<", str(each.specifier))}
    assert held == {name.rstrip("*") for name in ignored}


def test_a_pull_request_starts_with_the_question_where_it_goes() -> None:
    first = (GITHUB / "pull_request_template.md").read_text("utf-8").splitlines()[0]
    assert "Check the base repository" in first


def test_no_form_leads_out_of_the_repository() -> None:
    for path in (
        *(GITHUB / "ISSUE_TEMPLATE").iterdir(),
        GITHUB / "pull_request_template.md",
    ):
        assert "://" not in path.read_text("utf-8"), path.name
