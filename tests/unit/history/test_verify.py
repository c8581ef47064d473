"""A verification reports all faults at once; an intact history has none."""

from pathlib import Path

import pytest

from history.faults import Fault, listed
from tests.support.history_factories import Workspace, add_run, verify
from tests.support.promoted_history import PromotedHistory


@pytest.fixture
def history(tmp_path: Path) -> PromotedHistory:
    return PromotedHistory(tmp_path / "clone")


def test_an_intact_history_has_no_fault(history: PromotedHistory) -> None:
    assert verify(history.repo) == []
    empty = Workspace(history.repo.root / "empty")
    assert verify(empty) == []


def test_all_faults_are_reported_at_once(history: PromotedHistory) -> None:
    note = history.folder / "artifacts" / "note.txt"
    note.write_text("other")
    history.edit(history.run_file, name="better")
    history.edit(history.promotion_file, reason="fine")
    unknown = "0" * 32
    foreign_model = f"m-{unknown}"
    user = add_run(history.repo.mlruns, model_inputs=[foreign_model])
    user_file = history.folder_of(user.run_id) / "run.json"

    damaged = [
        note,
        history.run_file,
        history.promotion_file,
        user_file,
    ]
    files = {fault.file for fault in verify(history.repo)}
    expected = {history.relative(path) for path in damaged}
    assert files == expected


def test_some_runs_alone_can_be_checked(history: PromotedHistory) -> None:
    note = history.folder / "artifacts" / "note.txt"
    note.write_text("x")
    used = history.run.models[0].model_id
    user = add_run(history.repo.mlruns, model_inputs=[used])
    others = [user.run_id, history.parent.run_id]
    assert verify(history.repo, others) == []
    own_faults = verify(history.repo, [history.run.run_id])
    assert len(own_faults) == 1
    unknown = "0" * 32
    (fault,) = verify(history.repo, [unknown])
    assert "is not there" in fault.reason


def test_many_faults_are_listed_with_the_number_of_those_left_out() -> None:
    faults = [Fault(f"mlruns/{name}", "is empty") for name in "abcde"]
    first_two = listed(faults[:2])
    assert first_two == "mlruns/a: is empty; mlruns/b: is empty"
    whole = listed(faults)
    assert whole.endswith("mlruns/c: is empty (and 2 more)")
