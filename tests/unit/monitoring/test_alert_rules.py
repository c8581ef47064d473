"""Every alert says what is wrong and what to do, and has cases that test it."""

import re
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.support.alert_rules import (
    MONITORING,
    Rule,
    alert_cases,
    alerts,
    all_series,
    exported,
    load,
    rules,
)

ALERTS = alerts()
CASES = alert_cases()
CONFIGURATIONS = sorted((MONITORING / "alertmanager").glob("*.yml"))
RUNBOOKS = ROOT / "docs" / "runbooks.md"
each = pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])


def headings(page: Path, marks: str) -> list[str]:
    text = page.read_text("utf-8")
    return re.findall(rf"^{marks} (.+)$", text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    found = set()
    for heading in headings(page, "#+"):
        words = re.sub(r"[^\w -]", "", heading.lower())
        found.add(words.replace(" ", "-"))
    return found


def find(name: str) -> Rule:
    """Return the alert with a name."""
    (rule,) = [rule for rule in ALERTS if rule["alert"] == name]
    return rule


def test_alerts_have_different_names() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) > 15
    assert len(names) == len(set(names))


def test_error_budget_alerts_name_the_slo_and_the_window() -> None:
    slos = set()
    windows = set()
    for case in CASES:
        if case["alertname"].startswith("ErrorBudgetBurn"):
            for expected in case.get("exp_alerts", []):
                slos.add(expected["exp_labels"]["slo"])
                windows.add(expected["exp_labels"]["window"])
    assert slos == {"availability", "latency"}
    assert windows == {"1h", "6h", "3d"}


@each
def test_an_alert_says_what_is_wrong(rule: Rule) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "none")
    summary = rule["annotations"]["summary"]
    assert summary.endswith(".")
    assert len(rule["annotations"]["description"]) > len(summary) / 2


@each
def test_an_alert_links_to_its_runbook(rule: Rule) -> None:
    page, anchor = rule["annotations"]["runbook_url"].split("#")
    assert page == "docs/runbooks.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(RUNBOOKS)


def test_every_runbook_belongs_to_an_alert() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert sorted(headings(RUNBOOKS, "##")) == sorted(names)


def test_the_links_of_the_runbooks_lead_somewhere() -> None:
    text = RUNBOOKS.read_text("utf-8")
    for path, anchor in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", text):
        page = RUNBOOKS.with_name(path) if path else RUNBOOKS
        assert anchor in anchors(page), anchor


@each
def test_an_alert_has_a_case_in_which_it_fires(rule: Rule) -> None:
    assert True in outcomes(rule)


@each
def test_an_alert_has_a_case_in_which_it_does_not_fire(rule: Rule) -> None:
    if rule["alert"] == "Watchdog":  # it always fires
        assert False not in outcomes(rule)
    else:
        assert False in outcomes(rule)


def outcomes(rule: Rule) -> list[bool]:
    """Return for each case of an alert whether it fires."""
    cases = [case for case in CASES if case["alertname"] == rule["alert"]]
    return [bool(case.get("exp_alerts")) for case in cases]


def test_rules_read_only_series_that_are_exported_or_recorded() -> None:
    read = all_series(rules())
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    others = read - exported() - recorded
    assert {name for name in others if not name.startswith("node_")} == {"up"}
    assert "prediction_errors_total" in read
    assert "http_requests_shed_total" in read
    assert "drift_detected" in read


def test_the_features_of_an_alert_come_from_exported_series() -> None:
    features = find("DriftDetected")["annotations"]["features"]
    assert set(re.findall(r"\w+_drift_\w+", features)) <= exported()


def test_the_alert_of_drift_is_routed_by_its_name() -> None:
    rule = find("DriftDetected")
    assert "by (job, task)" in rule["expr"]
    assert "features" in rule["annotations"]
    route = load(MONITORING / "alertmanager" / "drift.yml")["route"]
    assert route["routes"][0]["matchers"] == ["alertname = DriftDetected"]
    routes = (ROOT / "app" / "routes").glob("*.py")
    assert any('"DriftDetected"' in path.read_text("utf-8") for path in routes)


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_alertmanager_names_labels_that_alerts_have(path: Path) -> None:
    labels = {"alertname"}
    for case in CASES:
        for expected in case.get("exp_alerts", []):
            labels |= expected["exp_labels"].keys()
    for rule in load(path).get("inhibit_rules", []):
        matchers = rule["source_matchers"] + rule["target_matchers"]
        names = {re.split(r"[=!~ ]", matcher)[0] for matcher in matchers}
        assert names | set(rule.get("equal", [])) <= labels


def test_alertmanager_notifies_nobody_by_default() -> None:
    silent = load(MONITORING / "alertmanager" / "silent.yml")
    assert silent["receivers"] == [{"name": silent["route"]["receiver"]}]
    assert "routes" not in silent["route"]
    service = load(ROOT / "docker-compose.yml")["services"]["alertmanager"]
    configuration = "/etc/alertmanager/${ALERTMANAGER_CONFIG:-silent.yml}"
    assert f"--config.file={configuration}" in service["command"]
    assert service["profiles"] == ["alerts"]
