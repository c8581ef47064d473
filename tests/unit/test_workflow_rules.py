"""The workflows keep the rules, and each rule would see its fault."""

from pathlib import Path

import pytest

from tests.support.workflow_examples import FAULTS, GOOD, Rule
from tests.support.workflow_files import Workflow, workflows
from tests.support.workflow_rules import RULES

WORKFLOWS = workflows()
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)


def written(folder: Path, text: str) -> Workflow:
    path = folder / "workflow.yml"
    path.write_text(text)
    return Workflow.read(path)


@every_rule
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_every_workflow_keeps_every_rule(workflow: Workflow, rule: Rule) -> None:
    assert rule(workflow) == []


@every_rule
def test_a_good_workflow_keeps_every_rule(tmp_path: Path, rule: Rule) -> None:
    workflow = written(tmp_path, GOOD)
    assert rule(workflow) == []


@pytest.mark.parametrize(("rule", "goes", "comes"), FAULTS)
def test_a_rule_sees_its_fault(
    tmp_path: Path, rule: Rule, goes: str, comes: str
) -> None:
    assert goes in GOOD
    faulty = GOOD.replace(goes, comes, 1)
    problems = rule(written(tmp_path, faulty))
    assert len(problems) == 1


def test_no_rule_is_without_a_fault_that_it_sees() -> None:
    covered = {rule for rule, _, _ in FAULTS}
    assert covered == set(RULES)
