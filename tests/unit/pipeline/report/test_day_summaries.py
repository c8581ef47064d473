"""The summaries of the days: they say what the runs say, and spare reading these."""

from collections.abc import Callable
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

ALGORITHMS = st.sampled_from(["ridge", "forest", "dummy"])
# The day of a run, its algorithm (none: it is the parent of a push), and its metric.
RUNS = st.tuples(
    st.integers(0, 3), st.none() | ALGORITHMS, st.sampled_from([0.5, 1.0, float("nan")])
)


def add(mlruns: Path, day: int, algorithm: str | None, value: float, place: int) -> str:
    """Add a run of a push to a history, and return its ID."""
    metrics = {"holdout_rmse": [(float(place), place, 0)], "other": [(1.0, 0, 0)]}
    changes: dict[str, object] = {
        "started": STARTED + day * DAY_MS + place,
        "metrics": metrics,
    }
    if algorithm is None:
        changes["tags"] = {"gate": "refused", "gate.reason": "a tie"}
        changes["params"] = {"challenger": "ridge"}
    else:
        changes["params"] = {"algorithm": algorithm, "alpha": "1"}
        metrics["cv_rmse_mean"] = [(value, place, 0)]
    return add_run(mlruns, **changes).run_id


def shown(history: History, days: day_summaries.Days) -> tuple[str, object, int]:
    """Return what the reports show of a history without promotions."""
    task = tasks.load("housing")
    runs = Runs.read(history, days)
    return comparison.to_csv([task], runs), events(task, runs, []), runs.count


@settings(max_examples=20, deadline=None)
@given(st.lists(RUNS, min_size=1, max_size=8), st.lists(RUNS, max_size=3))
def test_kept_summaries_show_what_the_runs_show(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[int, str | None, float]],
    after: list[tuple[int, str | None, float]],
) -> None:
    folder = tmp_path_factory.mktemp("history")
    mlruns = folder / "mlruns"
    for place, (day, algorithm, value) in enumerate(before):
        add(mlruns, day, algorithm, value, place)
    days = day_summaries.read(History.open(mlruns))
    day_summaries.write(days, folder / "kept")
    for place, (day, algorithm, value) in enumerate(after, start=len(before)):
        add(mlruns, day, algorithm, value, place)
    history = History.open(mlruns)
    kept = day_summaries.read(history, folder / "kept")
    assert kept == day_summaries.read(history)
    assert shown(history, kept) == shown(history, day_summaries.read(history))
    assert day_summaries.models_by_run(kept).keys() == history.folders.keys()


def spoil(path: Path) -> None:
    path.write_text('{"format": 1')


def name_another_metric(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("rmse, lower", "mae, lower"))


@pytest.mark.parametrize("damage", [Path.unlink, spoil, name_another_metric])
def test_a_summary_that_does_not_hold_is_made_anew(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    add(tmp_path / "mlruns", 0, "ridge", 0.5, 0)
    history = History.open(tmp_path / "mlruns")
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
    add(tmp_path / "mlruns", 0, "ridge", 0.5, 0)
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
    add(repo.mlruns, 0, "ridge", 0.5, 0)
    add_run(repo.mlruns, experiment="notebook")
    opened = History.open(repo.mlruns)
    written = report.write(repo, opened)
    paths = sorted(repo.results.rglob("*.json"))
    assert [path.parent.name for path in paths] == ["housing", "notebook"]
    assert not set(paths) & set(written)
    notebook = runfile.read(paths[1], day_summaries.DaySummary)
    assert notebook.metric == ""
    assert notebook.shown == []
    before = [path.read_bytes() for path in paths]
    name_another_metric(paths[0])
    report.write(repo, opened)
    assert [path.read_bytes() for path in paths] == before
