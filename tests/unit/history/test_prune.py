"""Promoted runs stay with their lineage; of the others fewer stay the older they are."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import PipelineError
from history import layout
from history.prune import prune
from history.runfile import Run
from tests.support.history_factories import (
    DAY_MS,
    Workspace,
    add_run,
    model_id,
    promote,
    verify,
)

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def milliseconds(month: int, day: int) -> int:
    date = datetime(2026, month, day, tzinfo=UTC)
    return int(date.timestamp() * 1000)


@dataclass(frozen=True)
class Family:
    """A parent run and its child, which logged a model."""

    parent: Run
    child: Run

    @property
    def run_ids(self) -> set[str]:
        return {self.parent.run_id, self.child.run_id}

    @property
    def model(self) -> str:
        (model,) = self.child.models
        return model.model_id


def add_family(
    repo: Workspace,
    month: int,
    day: int,
    experiment: str = "housing",
) -> Family:
    started = milliseconds(month, day)
    parent = add_run(repo.mlruns, started=started, experiment=experiment)
    child = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"x"}},
        parent=parent.run_id,
        started=started + DAY_MS // 2,
        experiment=experiment,
    )
    return Family(parent, child)


def stored(repo: Workspace) -> set[str]:
    return set(layout.run_folders(repo.mlruns))


def ids(*families: Family) -> set[str]:
    run_ids: set[str] = set()
    for family in families:
        run_ids |= family.run_ids
    return run_ids


def prune_now(
    repo: Workspace,
    newest: int,
    dry_run: bool = False,
) -> list[Path]:
    with repo.history() as history:
        return prune(history, days=30, newest=newest, now=NOW, dry_run=dry_run)


def test_promoted_runs_and_those_whose_models_are_used_stay(repo: Workspace) -> None:
    promoted = add_family(repo, 3, 9)
    promote(repo, promoted.child)
    promoted_too = add_family(repo, 3, 8, "iris")
    promote(repo, promoted_too.child, "iris")
    used = add_family(repo, 3, 10)
    user = add_run(repo.mlruns, started=milliseconds(11, 1), model_inputs=[used.model])
    deleted = add_family(repo, 3, 11)
    add_family(repo, 3, 2)
    prune_now(repo, newest=1)
    assert stored(repo) >= ids(promoted, promoted_too, used) | {user.run_id}
    assert not stored(repo) & ids(deleted)
    assert verify(repo) == []


def test_new_families_and_the_first_of_each_month_stay(repo: Workspace) -> None:
    new = [
        add_family(repo, 11, 1),
        add_family(repo, 11, 2),
        add_family(repo, 11, 3),
    ]
    first_of_march = add_family(repo, 3, 2)
    first_of_april = add_family(repo, 4, 30)
    first_of_may = add_family(repo, 5, 1)
    deleted = [
        add_family(repo, 3, 11),
        add_family(repo, 5, 2),
        add_family(repo, 5, 3),
    ]
    other_experiment = [
        add_family(repo, 2, 1, "credit"),
        add_family(repo, 2, 2, "credit"),
        add_family(repo, 2, 3, "credit"),
    ]

    folders = prune_now(repo, newest=2, dry_run=True)
    assert {folder.name for folder in folders} == ids(*deleted)
    assert all(folder.is_dir() for folder in folders)

    assert prune_now(repo, newest=2) == folders
    firsts = ids(first_of_march, first_of_april, first_of_may)
    assert stored(repo) == ids(*new, *other_experiment) | firsts
    assert verify(repo) == []
    assert prune_now(repo, newest=2) == []


def test_the_newest_of_each_experiment_stay_however_old(repo: Workspace) -> None:
    first, second, *newest = [add_family(repo, 1, day) for day in range(1, 6)]
    prune_now(repo, newest=3)
    assert stored(repo) == ids(first, *newest)
    assert not stored(repo) & ids(second)


def test_nothing_is_deleted_from_a_damaged_history(repo: Workspace) -> None:
    for day in range(1, 6):
        add_family(repo, 1, day)
    before = stored(repo)
    folder = layout.run_folders(repo.mlruns)[min(before)]
    (folder / "run.json").write_text("{}")
    with pytest.raises(PipelineError, match="is not a run of this project"):
        prune_now(repo, newest=0)
    assert stored(repo) == before
