"""Read the rules of Prometheus and the cases that test them."""

import re
from pathlib import Path
from typing import Any

import yaml

from app.observability.metrics import Metrics
from pipeline.reconcile import metrics as reconcile
from scripts.stack import container_metrics
from tests.paths import ROOT

MONITORING = ROOT / "monitoring"
RULES = MONITORING / "prometheus" / "rules"
TESTS = MONITORING / "prometheus" / "tests"
OPERATORS = {"and", "or", "unless", "by", "on", ""}
SUFFIXES = {
    "counter": ["_total"],
    "histogram": ["_bucket", "_count", "_sum"],
}
SERIES = r"[a-z_][\w:]*(?![\w:]*\s*\()"
NO_SERIES = r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|on|group_left) \([^)]*\)'

Rule = dict[str, Any]


def load(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def rules(folder: Path = RULES) -> list[Rule]:
    """Return the rules of all files in a folder."""
    listed: list[Rule] = []
    for path in sorted(folder.glob("*.yml")):
        for group in load(path)["groups"]:
            listed += group["rules"]
    return listed


def alerts() -> list[Rule]:
    """Return the rules that are alerts."""
    return [rule for rule in rules() if "alert" in rule]


def alert_cases() -> list[dict[str, Any]]:
    """Return the alerts that the cases expect."""
    cases: list[dict[str, Any]] = []
    for path in sorted(TESTS.glob("*.yml")):
        for case in load(path)["tests"]:
            cases += case.get("alert_rule_test", [])
    return cases


def series(expression: str) -> set[str]:
    """Return the names of the series that an expression reads."""
    names = set()
    for alternatives in re.findall(r'__name__=~"([^"]+)"', expression):
        names.update(alternatives.split("|"))
    bare = re.sub(NO_SERIES, " ", expression)
    names.update(re.findall(SERIES, bare))
    return names - OPERATORS


def all_series(listed: list[Rule]) -> set[str]:
    """Return the names of the series that rules read."""
    names: set[str] = set()
    for rule in listed:
        names |= series(rule["expr"])
    return names


def exported() -> set[str]:
    """Return the names of the series of the API and of followers of releases."""
    names = set(re.findall(r"^# TYPE (\w+)", container_metrics.TEXT, re.MULTILINE))
    for registry in (Metrics().registry, reconcile.Metrics().registry):
        for family in registry.collect():
            for suffix in SUFFIXES.get(family.type, [""]):
                names.add(family.name + suffix)
    return names
