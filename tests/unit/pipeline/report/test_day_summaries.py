"""The summaries of the days: they say what the runs say, and spare reading these."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history import History, runfile
from pipeline import report, tasks
from pipeline.repo import Repo
from pipeline.report import comparison, day_summaries
from pipeline.report.pushes import Runs, events
from tests.support.history_factories import DAY_MS, STARTED, add_run


@dataclass(frozen=True)
class PushedRun:
    """A run of a push: without an algorithm, it is the parent of the others."""

    day: int
    algorithm: str | None
    value: float


ALGORITHMS = st.sampled_from(["ridge", "forest", "dummy"])
VALUES = st.sampled_from([0.5, 1.0, float("nan")])
RUNS = st.builds(
    PushedRun,
    day=st.integers(0, 3),
    algorithm=st.none() | ALGORITHMS,
    value=VALUES,
)
RUNS_BEFORE = st.lists(
    RUNS,
    min_size=1,
    max_size=8,
)
RUNS_AFTER = st.lists(RUNS, max_size=3)
RIDGE = PushedRun(
    day=0,
    algorithm="ridge",
    value=0.5,
)


def add(
    mlruns: Path,
    pushed: PushedRun,
    place: int = 0,
) -> None:
    """Add a run of a push to a history."""
    holdout = (float(place), place, 0)
    metrics = {
        "holdout_rmse": [holdout],
        "other": [(1.0, 0, 0)],
    }
    day = STARTED + pushed.day * DAY_MS
    changes: dict[str, object] = {
        "started": day + place,
        "metrics": metrics,
    }
    if pushed.algorithm is None:
        changes["params"] = {"challenger": "ridge"}
        changes["tags"] = {
            "gate": "refused",
            "gate.reason": "a tie",
        }
    else:
        changes["params"] = {
            "algorithm": pushed.algorithm,
            "alpha": "1",
        }
        mean = (pushed.value, place, 0)
        metrics["cv_rmse_mean"] = [mean]
    add_run(mlruns, **changes)


def shown(
    history: History,
    days: day_summaries.Days,
) -> tuple[str, object, int]:
    """Return what the reports show of a history without promotions."""
    task = tasks.load("housing")
    runs = Runs.read(history, days)
    table = comparison.to_csv([task], runs)
    pushes = events(task, runs, [])
    return table, pushes, runs.count


@settings(max_examples=20, deadline=None)
@given(before=RUNS_BEFORE, after=RUNS_AFTER)
def test_kept_summaries_show_what_the_runs_show(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[PushedRun],
    after: list[PushedRun],
) -> None:
    folder = tmp_path_factory.mktemp("history")
    mlruns = folder / "mlruns"
    kept_folder = folder / "kept"
    for place, pushed in enumerate(before):
        add(mlruns, pushed, place)
    history_before = History.open(mlruns)
    days = day_summaries.read(history_before)
    day_summaries.write(days, kept_folder)
    for place, pushed in enumerate(after, start=len(before)):
        add(mlruns, pushed, place)
    history = History.open(mlruns)
    kept = day_summaries.read(history, kept_folder)
    anew = day_summaries.read(history)
    assert kept == anew
    assert shown(history, kept) == shown(history, anew)
    models = day_summaries.models_by_run(kept)
    assert models.keys() == history.folders.keys()


def spoil(path: Path) -> None:
    path.write_text('{"format": 1')


def name_another_metric(path: Path) -> None:
    text = path.read_text("utf-8")
    changed = text.replace("rmse, lower", "mae, lower")
    path.write_text(changed)


@pytest.mark.parametrize("damage", [Path.unlink, spoil, name_another_metric])
def test_a_summary_that_does_not_hold_is_made_anew(
    tmp_path: Path,
    damage: Callable[[Path], None],
) -> None:
    mlruns = tmp_path / "mlruns"
    add(mlruns, RIDGE)
    history = History.open(mlruns)
    days = day_summaries.read(history)
    kept = tmp_path / "kept"
    day_summaries.write(days, kept)
    (path,) = kept.glob("*/*.json")
    content = path.read_bytes()
    damage(path)
    assert day_summaries.read(history, kept) == days
    day_summaries.write(days, kept)
    assert path.read_bytes() == content


def test_the_summary_of_a_day_without_runs_is_deleted(tmp_path: Path) -> None:
    add(tmp_path / "mlruns", RIDGE)
    days = day_summaries.read(History.open(tmp_path / "mlruns"))
    kept = tmp_path / "kept"
    day_summaries.write(days, kept)
    (path,) = kept.glob("*/*.json")
    path.with_name("2020-01-01.json").write_bytes(path.read_bytes())
    path.with_name("2020-01-01_2.json").write_bytes(path.read_bytes())
    day_summaries.write(days, kept)
    assert list(kept.glob("*/*.json")) == [path]


def test_the_report_of_a_checkout_makes_all_summaries_anew(tmp_path: Path) -> None:
    repo = Repo(tmp_path)
    add(repo.mlruns, RIDGE)
    add_run(repo.mlruns, experiment="notebook")
    opened = History.open(repo.mlruns)
    written = report.write(repo, opened)
    paths = sorted(repo.results.rglob("*.json"))
    experiments = [path.parent.name for path in paths]
    assert experiments == ["housing", "notebook"]
    assert not set(paths) & set(written)
    housing_path, notebook_path = paths
    notebook = runfile.read(notebook_path, day_summaries.DaySummary)
    assert notebook.metric == ""
    assert notebook.shown == []
    before = [path.read_bytes() for path in paths]
    name_another_metric(housing_path)
    report.write(repo, opened)
    after = [path.read_bytes() for path in paths]
    assert after == before
