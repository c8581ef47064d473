"""What was ever promoted stays with its lineage; the rest gets sparser with age."""

from datetime import UTC, datetime

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
    return int(datetime(2026, month, day, tzinfo=UTC).timestamp() * 1000)


def family(
    repo: Workspace, started: int, experiment: str = "housing"
) -> tuple[Run, Run]:
    parent = add_run(repo.mlruns, started=started, experiment=experiment)
    logged = {model_id(): {"model.onnx": str(started).encode()}}
    place = {"started": started + DAY_MS // 2, "experiment": experiment}
    return parent, add_run(repo.mlruns, {}, logged, parent=parent.run_id, **place)


def left(repo: Workspace) -> set[str]:
    return set(layout.run_folders(repo.mlruns))


def ids(*families: tuple[Run, Run]) -> set[str]:
    return {run.run_id for members in families for run in members}


def test_the_policy(repo: Workspace) -> None:
    first_of_march = family(repo, milliseconds(3, 2))
    promoted = family(repo, milliseconds(3, 9))
    promote(repo, promoted[1])
    promote(repo, family(repo, milliseconds(3, 8), "iris")[1], "iris")
    used = family(repo, milliseconds(3, 10))
    uses = add_run(repo.mlruns, started=milliseconds(11, 1), model_inputs=[model(used)])
    passed_over = family(repo, milliseconds(3, 11))
    first_of_april = family(repo, milliseconds(4, 30))
    old = [family(repo, milliseconds(5, day)) for day in (1, 2, 3)]
    young = [family(repo, milliseconds(11, day)) for day in (2, 3)]
    other = [family(repo, milliseconds(2, day), "credit") for day in (1, 2, 3)]

    would = prune(repo.history(), days=30, newest=2, now=NOW, dry_run=True)
    gone = ids(passed_over, *old[1:])
    assert {folder.name for folder in would} == gone
    assert all(folder.is_dir() for folder in would)

    assert prune(repo.history(), days=30, newest=2, now=NOW) == would
    stay = ids(first_of_march, promoted, used, first_of_april, old[0], *young, *other)
    assert left(repo) >= stay | {uses.run_id}
    assert not left(repo) & gone
    assert verify(repo) == []
    assert prune(repo.history(), days=30, newest=2, now=NOW) == []


def model(members: tuple[Run, Run]) -> str:
    return members[1].models[0].model_id


def test_the_newest_of_each_experiment_stay_however_old(repo: Workspace) -> None:
    families = [family(repo, milliseconds(1, day)) for day in range(1, 6)]
    prune(repo.history(), newest=3, now=NOW)
    assert left(repo) == ids(families[0], *families[2:])


def test_a_damaged_history_is_not_thinned(repo: Workspace) -> None:
    for day in range(1, 6):
        family(repo, milliseconds(1, day))
    before = left(repo)
    damaged = layout.run_folders(repo.mlruns)[min(before)] / "run.json"
    damaged.write_text("{}")
    with pytest.raises(PipelineError, match="is not a run of this project"):
        prune(repo.history(), newest=0, now=NOW)
    assert left(repo) == before
