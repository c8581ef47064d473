"""Checks of lesson 10: the rule under hidden traffic, the cases under spoilt rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from core.counts import counted
from course.check import Check
from course.copy import Copy
from course.grading import rules, template_tests, worktree
from course.grading.result import Red, Verdict, failed, passed
from course.lessons.lesson_10_alert import wanted

TESTS = (
    "tests/unit/monitoring/test_alert_rules.py",
    "tests/unit/monitoring/test_kubernetes_prometheus.py",
)
PARTS = ("monitoring", "docs/runbooks.md", "docs/alerts-and-slos.md")
Rule = dict[str, Any]
# The content of files by their names: text, or what is written as YAML.
Files = dict[str, Any]


def rule_of(copy: Copy) -> Rule:
    """Return the student's rule.

    Raises:
        Red: there is none, or not a single one with this name.
    """
    if not copy.has(wanted.RULES):
        raise Red(f"the last commit has no file {wanted.RULES}")
    content = copy.yaml(wanted.RULES, "HEAD")
    listed = []
    for group in content.get("groups") or []:
        for rule in group.get("rules") or []:
            if rule.get("alert") == wanted.NAME:
                listed.append(dict(rule))
    if len(listed) != 1:
        raise Red(
            f"{wanted.RULES} has {len(listed)} alerts with the name {wanted.NAME}",
            "exactly one",
        )
    return listed[0]


@contextmanager
def folder(files: Files) -> Iterator[Path]:
    """Return a folder with YAML files, which Prometheus' tool can read."""
    with worktree.folder() as target:
        target.chmod(0o755)  # in Docker it runs as nobody
        for name, content in files.items():
            path = target / name
            path.parent.mkdir(exist_ok=True)
            text = content
            if not isinstance(text, str):
                text = yaml.safe_dump(content)
            path.write_text(text, "utf-8", newline="\n")
        yield target


def grouped(rule: Rule) -> dict[str, Any]:
    """Return a file of rules with one rule."""
    group = {"name": "course", "rules": [rule]}
    return {"groups": [group]}


class RuleIsValid(Check):
    """Write the rule into `monitoring/prometheus/rules/course.yml`, and commit it."""

    name = "Prometheus can read the rule"

    def run(self, copy: Copy) -> Verdict:
        """Ask Prometheus' own tool."""
        with folder({"course.yml": grouped(rule_of(copy))}) as target:
            outcome = rules.check(target, "check", "rules", "course.yml")
        if not outcome.succeeded:
            return failed(f"promtool says: {outcome.reason}")
        return passed(wanted.NAME)


class FiresAsAsked(Check):
    """Run `python -m course start 10` again, and compare the rule with each line."""

    name = "it fires when it should, and only then"
    requires = (RuleIsValid,)

    def run(self, copy: Copy) -> Verdict:
        """Let it watch hidden traffic."""
        rule = rule_of(copy)
        expression = str(rule["expr"])
        listed = wanted.traffic(copy)
        files: Files = {"course.yml": grouped(rule)}
        cases = {}
        for place, each in enumerate(listed):
            name = f"case-{place}.yml"
            files[name] = wanted.case(each, expression)
            cases[name] = each
        with folder(files) as target:
            for name, each in cases.items():
                outcome = rules.check(target, "test", "rules", name)
                if not outcome.succeeded:
                    return _wrong(each)
        return passed(f"{len(listed)} kinds of traffic")


def _wrong(each: wanted.Traffic) -> Verdict:
    expected = "no alert"
    if each.fires:
        expected = "one alert, its labels and value as asked"
    return failed(f"{each.name}: the rule does something else", expected)


class CasesPass(Check):
    """Write cases into `monitoring/prometheus/tests/course.yml` that the rule passes."""

    name = "your cases pass with your rule"
    requires = (FiresAsAsked,)

    def run(self, copy: Copy) -> Verdict:
        """Run them."""
        if not copy.has(wanted.CASES):
            return failed(f"the last commit has no file {wanted.CASES}")
        if not run_cases(copy, rule_of(copy)):
            return failed("your cases fail with your own rule")
        cases = copy.yaml(wanted.CASES, "HEAD")["tests"]
        return passed(counted(len(cases), "case"))


def run_cases(copy: Copy, rule: Rule) -> bool:
    """Return whether the student's cases pass with a rule."""
    files = {
        "rules/course.yml": grouped(rule),
        "tests/course.yml": copy.text(wanted.CASES, "HEAD"),
    }
    with folder(files) as target:
        outcome = rules.check(target, "test", "rules", "tests/course.yml")
    return outcome.succeeded


class CasesCatch(Check):
    """Add a case for the spoilt rule that is named: one in which it behaves otherwise."""

    name = "your cases fail with each spoilt rule"
    requires = (CasesPass,)

    def run(self, copy: Copy) -> Verdict:
        """Run them with one spoilt rule after the other."""
        rule = rule_of(copy)
        share = copy.personal.alert_percent / 100
        spoilt = spoilt_rules(rule, share)
        missed = [name for name, each in spoilt.items() if run_cases(copy, each)]
        if missed:
            caught = len(spoilt) - len(missed)
            return failed(
                f"{caught} of {len(spoilt)} caught; missed: {', '.join(missed)}",
                "no case passes that should not",
            )
        return passed(f"{len(spoilt)} of {len(spoilt)} caught")


def spoilt_rules(rule: Rule, share: float) -> dict[str, Rule]:
    """Return rules that are wrong, by what is wrong with them.

    Args:
        rule: the student's.
        share: the threshold, 0 to 1.
    """
    bound = min(10 * share, 0.5)
    too_high = f"({rule['expr']}) > {bound}"
    turned = wanted.share("<", share)
    at_once = dict(rule)
    at_once.pop("for", None)
    labels = dict(rule.get("labels") or {})
    labels["severity"] = "critical"
    return {
        "a threshold that is much too high": rule | {"expr": too_high},
        "a comparison that is turned round": rule | {"expr": turned},
        "an alert that does not wait": at_once,
        "another severity": rule | {"labels": labels},
    }


class RunbookIsThere(Check):
    """Run `./scripts/nox.sh -s course -- pytest tests/unit/monitoring`."""

    name = "the template's tests of alerts pass"
    requires = (RuleIsValid,)

    def run(self, copy: Copy) -> Verdict:
        """Run the template's tests over the student's rules, cases and pages."""
        outcome = template_tests.run(copy, PARTS, TESTS)
        if not outcome.succeeded:
            return failed(template_tests.reason(outcome))
        return passed("runbook, list of alerts, cases, ConfigMap")


CHECKS = (RuleIsValid, FiresAsAsked, CasesPass, CasesCatch, RunbookIsThere)
