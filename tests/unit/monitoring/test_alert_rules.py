"""Every alert says what it means and what to do, and is shown to fire and not to fire."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.observability.metrics import Metrics
from tests.paths import ROOT
from tools.documents.rows.metrics import NAMES, turn_on
from tools.documents.stack import Failure

MONITORING = ROOT / "monitoring"
Rule = dict[str, Any]


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


RULES = MONITORING / "prometheus" / "rules"
FILES = sorted(RULES.glob("*.yml"))
GROUPS = [group for path in FILES for group in load(path)["groups"]]
ALERTS: list[Rule] = [
    rule for group in GROUPS for rule in group["rules"] if "alert" in rule
]
CASES = [
    case
    for path in sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
    for group in load(path)["tests"]
    for case in group.get("alert_rule_test", [])
]
each = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings
    }


def test_there_are_alerts_and_each_has_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names)) > 15


def test_error_budget_alerts_name_the_slo_and_the_window() -> None:
    alerts = [rule for rule in ALERTS if rule["alert"].startswith("ErrorBudgetBurn")]
    expected = [
        case_alert["exp_labels"]
        for case in CASES
        if case["alertname"].startswith("ErrorBudgetBurn")
        for case_alert in case.get("exp_alerts", [])
    ]
    assert len(alerts) == 2
    assert {labels["slo"] for labels in expected} == {"availability", "latency"}
    assert {labels["window"] for labels in expected} == {"1h", "6h", "3d"}


@each
def test_an_alert_says_what_is_wrong_and_where_to_read_on(rule: Rule) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    said = rule["annotations"]
    assert (
        said["summary"].endswith(".")
        and len(said["description"]) > len(said["summary"]) / 2
    )
    page, anchor = said["runbook_url"].split("#")
    assert page == "docs/runbooks.md" and anchor == rule["alert"].lower()
    assert anchor in anchors(ROOT / page)


def test_every_runbook_is_that_of_an_alert_and_its_links_lead_somewhere() -> None:
    page = ROOT / "docs" / "runbooks.md"
    text = page.read_text("utf-8")
    assert sorted(re.findall("^## (.+)$", text, re.MULTILINE)) == sorted(
        rule["alert"] for rule in ALERTS
    )
    for path, anchor in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", text):
        assert anchor in anchors(page.with_name(path) if path else page), anchor


@each
def test_an_alert_is_shown_to_fire_and_not_to_fire(rule: Rule) -> None:
    told = [
        bool(case.get("exp_alerts"))
        for case in CASES
        if case["alertname"] == rule["alert"]
    ]
    assert True in told, "no case in which it fires"
    assert (
        False in told or rule["alert"] == "Watchdog"
    ), "no case in which it does not fire"


def series(expression: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    named = re.findall(r'__name__=~"([^"]+)"', expression)
    bare = re.sub(
        r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|on|group_left) \([^)]*\)', " ", expression
    )
    words = set(re.findall(r"[a-z_][\w:]*(?![\w:]*\s*\()", bare))
    return {*words, *"|".join(named).split("|")} - {
        "and",
        "or",
        "unless",
        "by",
        "on",
        "",
    }


def exported() -> set[str]:
    """Return the names of the API's series."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
    families = Metrics().registry.collect()
    return {
        family.name + ending
        for family in families
        for ending in endings.get(family.type, [""])
    }


def test_rules_read_only_what_is_exported_or_recorded() -> None:
    rules = [rule for group in GROUPS for rule in group["rules"]]
    read = {name for rule in rules for name in series(rule["expr"])}
    recorded = {rule["record"] for rule in rules if "record" in rule}
    others = {
        name for name in read - exported() - recorded if not name.startswith("node_")
    }
    assert others == {"up"}
    assert {
        "prediction_errors_total",
        "http_requests_shed_total",
        "drift_detected",
    } <= read
    (features,) = (
        rule["annotations"]["features"] for rule in ALERTS if "Drift" in rule["alert"]
    )
    assert set(re.findall(r"\w+_drift_\w+", features)) <= exported()


ALIASES = [
    rule
    for group in load(RULES / "optional" / "aliases.yml")["groups"]
    for rule in group["rules"]
]


def test_aliases_are_made_of_what_is_exported_and_take_no_name_of_ours() -> None:
    recorded = {rule["record"] for rule in ALIASES}
    read = {name for rule in ALIASES for name in series(rule["expr"])}
    assert read - recorded <= exported() | {"up"}
    assert not recorded & exported()
    assert recorded >= set(NAMES) | {
        "api_requests_total",
        "api_request_latency_seconds_bucket",
    }


def test_every_alias_has_a_case() -> None:
    cases = (MONITORING / "prometheus" / "tests" / "aliases.yml").read_text("utf-8")
    expressions = " ".join(re.findall(r"- expr: (.+)", cases))
    for rule in ALIASES:
        name = rule["record"]
        # The sum and the number of a histogram are those that its mean is made of.
        mean = re.sub("_(sum|count)$", "", name)
        assert re.search(rf"\b({name}|{mean})\b", expressions), name


def test_aliases_are_off_and_one_line_turns_them_on(tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir()
    copy = tmp_path / "monitoring" / "prometheus.yml"
    copy.write_bytes((MONITORING / "prometheus.yml").read_bytes())
    assert load(copy)["rule_files"] == ["prometheus/rules/*.yml"]
    turn_on(tmp_path)
    _, aliases = load(copy)["rule_files"]
    assert (MONITORING / aliases).is_file()
    with pytest.raises(Failure, match="no line"):
        turn_on(tmp_path)


def test_drift_is_routed_by_the_name_of_an_alert_that_names_task_and_features() -> None:
    (rule,) = (rule for rule in ALERTS if rule["alert"] == "DriftDetected")
    assert "by (job, task)" in rule["expr"] and "features" in rule["annotations"]
    route = load(MONITORING / "alertmanager" / "drift.yml")["route"]
    assert route["routes"][0]["matchers"] == ["alertname = DriftDetected"]
    routes = (ROOT / "app" / "routes").glob("*.py")
    assert any('"DriftDetected"' in path.read_text("utf-8") for path in routes)


def test_nobody_is_told_unless_somebody_asks_for_it() -> None:
    silent = load(MONITORING / "alertmanager" / "silent.yml")
    assert silent["receivers"] == [{"name": silent["route"]["receiver"]}]
    assert "routes" not in silent["route"]
    service = load(ROOT / "docker-compose.yml")["services"]["alertmanager"]
    assert (
        "--config.file=/etc/alertmanager/${ALERTMANAGER_CONFIG:-silent.yml}"
        in service["command"]
    )
    assert service["profiles"] == ["alerts"]
