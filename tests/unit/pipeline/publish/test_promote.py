"""Putting an earlier version of a model back into service."""

import pytest

from core.errors import UsageError
from history import registry
from pipeline.verification import verify
from tests.support.publishing_team import BETTER, GOOD, Team


def test_a_rollback_is_a_promotion_of_an_older_version(team: Team) -> None:
    team.publish(housing=GOOD)
    team.publish(housing=BETTER)
    better = (team.origin.models / "housing" / "model.onnx").read_bytes()
    _, message = team.promote("housing", 1, "v2 is too slow")
    seen = team.origin
    versions = registry.versions(seen.mlruns, "housing")
    assert [entry.decided_by for entry in versions] == ["gate", "gate", "hand"]
    assert versions[2].sha256 == versions[0].sha256
    assert versions[2].reason == "v2 is too slow"
    served = seen.models / "housing"
    assert (served / "model.onnx").read_bytes() != better
    assert "| check |" not in (served / "MODEL_CARD.md").read_text("utf-8")
    assert "housing v3 promoted manually\n\n- Reason: v2 is too slow\n" in message
    assert verify(seen) == []
    team.promote("housing")
    again = registry.versions(team.origin.mlruns, "housing")[3]
    assert again.sha256 == versions[1].sha256
    assert again.metrics == versions[1].metrics
    assert again.reason == "manual rollback to version 2"


@pytest.mark.parametrize(
    ("task", "version", "message"),
    [
        ("housing", 9, "housing has no version 9: the registry has only version 1"),
        (
            "housing",
            None,
            "housing has no earlier version to go back to: version 1 is the only one",
        ),
        ("housing", 1, "version 1 of housing is already in service"),
        ("wine", 1, "the registry has no version of wine"),
    ],
)
def test_a_version_that_cannot_be_promoted_is_refused(
    team: Team, task: str, version: int | None, message: str
) -> None:
    team.publish(housing=GOOD)
    with pytest.raises(UsageError, match=message):
        team.promote(task, version)
