"""Every alert says what is wrong and what to do, and has cases that test it."""

import re
from pathlib import Path

import pytest
import yaml

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
    pattern = rf"^{marks} (.+)$"
    return re.findall(pattern, text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    names = set()
    for heading in headings(page, "#+"):
        words = re.sub(r"[^\w -]", "", heading.lower())
        name = words.replace(" ", "-")
        names.add(name)
    return names


def listed(page: str, heading: str) -> list[str]:
    """Return the names in the first column of the table below a heading of a page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    table, _, _ = section.partition("\n## ")
    names = []
    for cell in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE):
        names += re.findall(r"`([\w-]+)`", cell)
    return names


def drift_rule() -> Rule:
    """Return the alert that starts a retrain."""
    for rule in ALERTS:
        if rule["alert"] == "DriftDetected":
            return rule
    raise AssertionError("there is no alert DriftDetected")


def expected_labels() -> list[dict[str, str]]:
    """Return the labels of each alert that a case expects."""
    labels = []
    for case in CASES:
        for alert in case.get("exp_alerts", []):
            labels.append(alert["exp_labels"])
    return labels


def test_alerts_have_different_names() -> None:
    names = {rule["alert"] for rule in ALERTS}
    assert len(names) > 15
    assert len(names) == len(ALERTS)


def test_error_budget_alerts_name_the_slo_and_the_window() -> None:
    slos = set()
    windows = set()
    for labels in expected_labels():
        if "slo" in labels:
            slos.add(labels["slo"])
            windows.add(labels["window"])
    assert slos == {"availability", "latency"}
    assert windows == {"1h", "6h", "3d"}


@each
def test_an_alert_says_what_is_wrong(rule: Rule) -> None:
    severity = rule["labels"]["severity"]
    assert severity in ("critical", "warning", "none")
    annotations = rule["annotations"]
    summary = annotations["summary"]
    assert summary.endswith(".")
    shortest = len(summary) / 2
    assert len(annotations["description"]) > shortest


@each
def test_an_alert_links_to_its_runbook(rule: Rule) -> None:
    address = rule["annotations"]["runbook_url"]
    page, anchor = address.split("#")
    assert page == "docs/runbooks.md"
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(RUNBOOKS)


def test_every_runbook_belongs_to_an_alert() -> None:
    names = [rule["alert"] for rule in ALERTS]
    runbooks = headings(RUNBOOKS, "##")
    assert sorted(runbooks) == sorted(names)


def test_the_documentation_lists_every_alert() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert sorted(listed("alerts-and-slos.md", "Alerts")) == sorted(names)


def test_the_documentation_lists_every_job_that_is_scraped() -> None:
    content = yaml.safe_load((MONITORING / "prometheus.yml").read_text("utf-8"))
    jobs = [job["job_name"] for job in content["scrape_configs"]]
    assert sorted(listed("monitoring-metrics.md", "What is scraped")) == sorted(jobs)


def test_the_links_of_the_runbooks_lead_somewhere() -> None:
    text = RUNBOOKS.read_text("utf-8")
    links = re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", text)
    assert links
    for path, anchor in links:
        page = RUNBOOKS
        if path:
            page = RUNBOOKS.with_name(path)
        assert anchor in anchors(page), anchor


@each
def test_an_alert_has_a_case_in_which_it_fires(rule: Rule) -> None:
    assert True in outcomes(rule)


@each
def test_an_alert_has_a_case_in_which_it_does_not_fire(rule: Rule) -> None:
    always_fires = rule["alert"] == "Watchdog"
    if always_fires:
        assert False not in outcomes(rule)
    else:
        assert False in outcomes(rule)


def outcomes(rule: Rule) -> list[bool]:
    """Return for each case of an alert whether it fires."""
    fires = []
    for case in CASES:
        if case["alertname"] == rule["alert"]:
            expected = case.get("exp_alerts")
            fires.append(bool(expected))
    return fires


def test_rules_read_only_series_that_are_exported_or_recorded() -> None:
    read = all_series(rules())
    recorded = {rule.get("record") for rule in rules()}
    others = set()
    for name in read - exported() - recorded:
        if not name.startswith("node_"):
            others.add(name)
    assert others == {"up"}
    assert "prediction_errors_total" in read
    assert "http_requests_shed_total" in read
    assert "drift_detected" in read


def test_the_features_of_an_alert_come_from_exported_series() -> None:
    features = drift_rule()["annotations"]["features"]
    series = re.findall(r"\w+_drift_\w+", features)
    assert series
    assert set(series) <= exported()


def test_the_alert_of_drift_is_routed_by_its_name() -> None:
    rule = drift_rule()
    assert "by (job, task)" in rule["expr"]
    assert "features" in rule["annotations"]
    drift = load(MONITORING / "alertmanager" / "drift.yml")
    (route,) = drift["route"]["routes"]
    assert route["matchers"] == ["alertname = DriftDetected"]


def test_a_route_of_the_api_answers_the_alert_of_drift() -> None:
    text = ""
    for path in ROOT.glob("app/routes/*.py"):
        text += path.read_text("utf-8")
    assert '"DriftDetected"' in text


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_alertmanager_names_labels_that_alerts_have(path: Path) -> None:
    labels = {"alertname"}
    for of_an_alert in expected_labels():
        labels |= of_an_alert.keys()
    for rule in load(path).get("inhibit_rules", []):
        used = set(rule.get("equal", []))
        matchers = rule["source_matchers"] + rule["target_matchers"]
        for matcher in matchers:
            name, *_ = re.split(r"[=!~ ]", matcher)
            used.add(name)
        assert used <= labels


def test_alertmanager_notifies_nobody_by_default() -> None:
    silent = load(MONITORING / "alertmanager" / "silent.yml")
    route = silent["route"]
    assert "routes" not in route
    assert silent["receivers"] == [{"name": route["receiver"]}]
    services = load(ROOT / "docker-compose.yml")["services"]
    service = services["alertmanager"]
    configuration = "/etc/alertmanager/${ALERTMANAGER_CONFIG:-silent.yml}"
    assert f"--config.file={configuration}" in service["command"]
    assert service["profiles"] == ["alerts"]
