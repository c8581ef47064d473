"""Our metrics under the names of other stacks: off, complete and tested."""

import re
from pathlib import Path

import pytest

from tests.support.alert_rules import (
    MONITORING,
    RULES,
    TESTS,
    Rule,
    all_series,
    exported,
    load,
    rules,
)
from tools.documents.rows.metrics import NAMES, turn_on
from tools.documents.stack import Failure

ALIASES = rules(RULES / "optional")
RECORDED = {rule["record"] for rule in ALIASES}


def test_aliases_are_computed_from_exported_series() -> None:
    renamed = all_series(ALIASES) - RECORDED
    present = exported() | {"up"}
    assert renamed <= present


def test_aliases_take_no_name_of_ours() -> None:
    assert RECORDED.isdisjoint(exported())


def test_every_documented_name_has_an_alias() -> None:
    histograms = {"api_requests_total", "api_request_latency_seconds_bucket"}
    assert RECORDED >= set(NAMES) | histograms


@pytest.mark.parametrize("rule", ALIASES, ids=lambda rule: rule["record"])
def test_every_alias_has_a_case(rule: Rule) -> None:
    cases = (TESTS / "aliases.yml").read_text("utf-8")
    lines = re.findall(r"- expr: (.+)", cases)
    expressions = " ".join(lines)
    name = rule["record"]
    # The mean of a histogram is computed from its sum and its count.
    mean = re.sub("_(sum|count)$", "", name)
    assert re.search(rf"\b({name}|{mean})\b", expressions)


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
