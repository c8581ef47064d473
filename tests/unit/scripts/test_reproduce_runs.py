"""The nightly program chooses champions and one run by lot, and reports on each."""

from pathlib import Path

import pytest

from pipeline.verification import open_history
from scripts import commands
from scripts.reproduce import chosen, main
from tests.conftest import posix
from tests.unit.pipeline.reproduce.small_trainer import SmallTrainer

# The environment of the tests is a symbolic link.
pytestmark = posix


@pytest.fixture
def trainer(tmp_path: Path) -> SmallTrainer:
    return SmallTrainer(tmp_path / "checkout")


def run(trainer: SmallTrainer, *names: str) -> int:
    return commands.run(main, ["--repo", str(trainer.repo.root), *names])


def test_the_champions_and_a_training_by_lot_are_chosen(trainer: SmallTrainer) -> None:
    with open_history(trainer.repo) as history:
        assert list(chosen(trainer.repo, history)) == ["iris", trainer.training_id]


def test_runs_whose_commit_is_not_here_are_left_out_with_a_notice(
    trainer: SmallTrainer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.forget_the_commit()
    assert run(trainer) == 0
    errors = capsys.readouterr().err
    assert "notice: iris is not made again: its commit 000000000000" in errors


def test_the_summary_has_each_verdict(
    trainer: SmallTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert run(trainer) == 0
    verdicts = [
        line.partition(":")[0] for line in summary.read_text("utf-8").splitlines()
    ]
    assert verdicts == ["same", "same"]


def test_a_difference_and_an_error_end_with_status_1(
    trainer: SmallTrainer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer.edit(trainer.run_id, '"n_estimators": "3"', '"n_estimators": "4"')
    assert run(trainer, "iris", "wine") == 1
    output, errors = capsys.readouterr()
    assert "differs: iris v1" in output
    assert "cannot: wine: 'wine' is neither a run" in output
    assert "error: iris, wine: not the same when made again" in errors
