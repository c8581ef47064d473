"""A run is made again from its commit, data and lock file, and compared."""

import json
import sys
from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from pipeline.cli import main
from pipeline.recorded_run import COMMIT_TAG, DATA_TAG
from pipeline.reproduce import again
from pipeline.reproduce.result import Reproduction
from pipeline.run_finder import RunFinder
from pipeline.verification import open_history
from tests.conftest import commit_all, posix
from tests.unit.pipeline.reproduce.small_trainer import (
    LOCK_TAG,
    PYTHON_TAG,
    SmallTrainer,
)

# The environment of the tests is a symbolic link.
pytestmark = posix


def reproduce(trainer: SmallTrainer, name: str) -> Reproduction:
    with open_history(trainer.repo) as history:
        recorded = RunFinder(trainer.repo, history).one(name)
        return again.reproduce(trainer.repo, history, recorded, print)


def test_a_version_is_the_same_and_the_checkout_is_not_touched(
    trainer: SmallTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    root = trainer.repo.root
    (root / "params.yaml").write_text("seed: 1\n")
    (root / "new.txt").write_text("not committed\n")
    before = git(root, "status", "--porcelain")
    result = reproduce(trainer, "iris@1")
    assert result.is_same
    assert result.run_id == trainer.run_id
    assert result.equal == [
        "2 inputs",
        "3 model digests",
        "1 artifact",
        "5 metrics",
        "3 params",
    ]
    assert git(root, "status", "--porcelain") == before
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_the_run_of_a_training_is_compared_with_its_candidates(
    trainer: SmallTrainer,
) -> None:
    trainer.edit(trainer.run_id, '"n_estimators": "3"', '"n_estimators": "4"')
    result = reproduce(trainer, trainer.training_id)
    assert result.run_id == trainer.training_id
    (difference,) = result.differences
    assert difference.what == "random_forest, param n_estimators"
    assert (difference.recorded, difference.again) == ("4", "3")


def test_an_altered_metric_is_named(trainer: SmallTrainer) -> None:
    trainer.edit(trainer.run_id, '"holdout_log_loss": [[0', '"holdout_log_loss": [[10')
    result = reproduce(trainer, "iris")
    (difference,) = result.differences
    assert difference.what == "metric holdout_log_loss"
    again = float(difference.again)
    assert float(difference.recorded) == pytest.approx(10 + again)
    assert result.lines()[0].startswith("differs: iris v1 (run ")
    assert "have the recorded versions" in result.lines()[-1]


def test_another_lock_file_and_another_python_are_named(trainer: SmallTrainer) -> None:
    lock = f'"{LOCK_TAG}": "'
    python = f'"{PYTHON_TAG}": "'
    trainer.edit(trainer.training_id, lock, f"{lock}0")
    trainer.edit(trainer.training_id, python, f"{python}9")
    result = reproduce(trainer, "iris")
    assert [each.what for each in result.differences] == ["input lock file"]
    assert [each.what for each in result.conditions] == ["python"]


def test_another_model_in_the_registry_or_in_the_folder_is_named(
    trainer: SmallTrainer,
) -> None:
    (entry,) = trainer.repo.mlruns.glob("registry/iris/1.json")
    content = json.loads(entry.read_text("utf-8"))
    changed = content | {"sha256": "0" * 64}
    entry.write_text(json.dumps(changed))
    (model,) = trainer.repo.mlruns.glob("iris/*/*/models/*/model.onnx")
    model.write_bytes(b"other")
    result = reproduce(trainer, "iris")
    assert [each.what for each in result.differences] == [
        "model digest in the registry",
        "model digest in the run's folder",
    ]
    assert "the model of iris v1 cannot be opened" in result.predictions


def test_data_come_from_an_older_commit(trainer: SmallTrainer) -> None:
    trainer.repo.data.joinpath("iris.csv.gz").unlink()
    commit = commit_all(trainer.repo.root, "feat: no snapshot")
    trainer.replace_tag(COMMIT_TAG, commit)
    assert reproduce(trainer, "iris").is_same


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        (DATA_TAG, "0" * 64, "^the data of iris with the SHA-256 0"),
        (COMMIT_TAG, "0" * 40, "^the commit 0.* is not in this clone: `git fetch"),
    ],
)
def test_data_and_a_commit_that_are_gone_are_one_sentence(
    trainer: SmallTrainer, tag: str, value: str, message: str
) -> None:
    trainer.replace_tag(tag, value)
    with pytest.raises(PipelineError, match=message):
        reproduce(trainer, "iris")
    worktrees = git(trainer.repo.root, "worktree", "list")
    assert len(worktrees.splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        (
            "requirements/pipeline.txt",
            None,
            "has no lock file requirements/pipeline.txt",
        ),
        ("pipeline/__main__.py", "import sys\nsys.exit('error: bad.')", "today: bad"),
        ("pipeline/__main__.py", "raise OSError('disk')", "today: OSError: disk"),
        ("pipeline/__main__.py", "raise SystemExit(3)", "it ended with status 3"),
    ],
)
def test_a_commit_that_cannot_train_is_one_sentence(
    trainer: SmallTrainer, path: str, text: str | None, message: str
) -> None:
    root = trainer.repo.root
    if text is None:
        (root / path).unlink()
    else:
        (root / path).write_text(text)
    trainer.replace_tag(COMMIT_TAG, commit_all(root, "feat: break it"))
    with pytest.raises(PipelineError, match=message):
        reproduce(trainer, "iris")
    assert len(git(root, "worktree", "list").splitlines()) == 1


def test_a_run_of_something_else_and_no_run_are_refused(trainer: SmallTrainer) -> None:
    trainer.edit(trainer.training_id, '"digest.data"', '"digest.else"')
    with pytest.raises(PipelineError, match="not a run of `pipeline train`"):
        reproduce(trainer, trainer.run_id)
    with pytest.raises(UsageError, match="^'HEAD' is neither a run"):
        reproduce(trainer, "HEAD")


@pytest.mark.parametrize("is_altered", [False, True])
def test_the_command_ends_with_the_verdict(
    trainer: SmallTrainer,
    is_altered: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if is_altered:
        trainer.edit(trainer.run_id, '"n_estimators": "3"', '"n_estimators": "4"')
    command = ["pipeline", "--repo", str(trainer.repo.root), "reproduce", "iris"]
    monkeypatch.setattr(sys, "argv", [*command, "--json"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code or 0) == int(is_altered)
    content = json.loads(capsys.readouterr().out)
    assert content["same"] is not is_altered
    assert len(content["differences"]) == int(is_altered)
    assert Path(trainer.repo.root, "build", "environments").is_dir()
