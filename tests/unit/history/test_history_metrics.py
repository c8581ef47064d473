"""The Prometheus metrics of a history agree with its files."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from prometheus_client.samples import Sample

from history import History, build, registry
from history.metrics import Exporter
from history.mlflow_rows import PARENT_TAG
from pipeline.report.pushes import Runs, events
from pipeline.tasks import load
from tests.paths import ROOT
from tests.support.history_factories import (
    STARTED,
    Workspace,
    add_run,
    model_id,
    promote,
)

Samples = dict[tuple[str, ...], float]


def add_push(
    repo: Workspace,
    number: int,
    rmse: float,
    gate: str = "refused",
) -> None:
    """Add the runs of a push: the parent, which was evaluated, and a candidate."""
    started = STARTED + 60_000 * number
    metrics = {
        "holdout_rmse": [(9.0, 0, 0), (rmse, 1, 1)],
        "holdout_r2": [(1 - rmse, 0, 0)],
        "holdout_odd": [(float("nan"), 0, 0)],
        "cv_rmse_mean": [(rmse, 0, 0)],
    }
    tags = {
        "gate": gate,
        "gate.reason": "",
        "mlflow.source.git.commit": f"{number:07d}" + "f" * 33,
    }
    parent = add_run(
        repo.mlruns,
        started=started,
        metrics=metrics,
        tags=tags,
    )
    candidate = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"%d" % number}},
        started=started + 1,
        parent=parent.run_id,
    )
    if gate == "promoted":
        promote(
            repo,
            candidate,
            promoted=started + 2,
            metrics={"rmse": rmse, "r2": 1 - rmse},
        )


def series_of(repo: Workspace) -> dict[str, Samples]:
    """Return the series by family, by the values of their labels.

    The values are in the order of the labels' names.
    """
    exporter = Exporter()
    build.build_database(repo.mlruns, repo.build / "mlflow.db")
    exporter.update(repo.build / "mlflow.db")
    families: dict[str, Samples] = {}
    for family in exporter.collect():
        samples = families.setdefault(family.name, {})
        for sample in family.samples:
            values = [value for _, value in sorted(sample.labels.items())]
            samples[tuple(values)] = sample.value
    return families


@pytest.fixture
def pushes(repo: Workspace) -> Workspace:
    """A history of five pushes and, before the last of them, a manual promotion."""
    add_push(repo, 1, 0.9, "refused")
    add_push(repo, 2, 0.5, "promoted")
    add_push(repo, 3, 0.7, "refused")
    add_push(repo, 4, 0.25, "promoted")
    first, _ = registry.versions(repo.mlruns, "housing")
    again = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"2"}},
        metrics={"holdout_rmse": [(0.5, 0, 0)], "holdout_r2": [(0.5, 0, 0)]},
    )
    promote(
        repo,
        again,
        decided_by="hand",
        promoted=STARTED + 600_000,
        commit=first.commit,
    )
    add_push(repo, 11, 0.3)
    return repo


def test_each_push_has_all_its_metrics(pushes: Workspace) -> None:
    # In the order of the labels' names: commit, decision, metric, push, task, version.
    assert series_of(pushes)["model_history_metric"] == {
        ("0000001", "refused", "rmse", "1", "housing", ""): 0.9,
        ("0000001", "refused", "r2", "1", "housing", ""): pytest.approx(0.1),
        ("0000002", "promoted", "rmse", "2", "housing", "1"): 0.5,
        ("0000002", "promoted", "r2", "2", "housing", "1"): 0.5,
        ("0000003", "refused", "rmse", "3", "housing", ""): 0.7,
        ("0000003", "refused", "r2", "3", "housing", ""): pytest.approx(0.3),
        ("0000004", "promoted", "rmse", "4", "housing", "2"): 0.25,
        ("0000004", "promoted", "r2", "4", "housing", "2"): 0.75,
        ("ccccccc", "manual", "rmse", "5", "housing", "3"): 0.5,
        ("ccccccc", "manual", "r2", "5", "housing", "3"): 0.5,
        ("0000011", "refused", "rmse", "6", "housing", ""): 0.3,
        ("0000011", "refused", "r2", "6", "housing", ""): pytest.approx(0.7),
    }


def test_each_push_has_the_metrics_of_the_champion_after_it(pushes: Workspace) -> None:
    champions = series_of(pushes)["model_history_champion_metric"]
    rmse = {}
    for (metric, push, task), value in champions.items():
        assert task == "housing"
        if metric == "rmse":
            rmse[push] = value
    assert rmse == {"2": 0.5, "3": 0.5, "4": 0.25, "5": 0.5, "6": 0.5}
    assert len(champions) == 2 * len(rmse)


def test_pushes_and_runs_are_counted(pushes: Workspace) -> None:
    series = series_of(pushes)
    times = series["model_history_pushed_timestamp_seconds"]
    minute_later = STARTED / 1000 + 60
    assert times["1", "housing"] == minute_later
    assert len(times) == 6
    assert series["model_history_pushes"] == {("housing",): 6}
    assert series["model_history_runs"] == {("housing",): 11}


def committed_samples(path: Path) -> list[Sample]:
    """Return the hold-out metrics of the committed history."""
    build.build_database(ROOT / "mlruns", path)
    exporter = Exporter()
    exporter.update(path)
    for family in exporter.collect():
        if family.name == "model_history_metric":
            return list(family.samples)
    raise AssertionError("the exporter has no family model_history_metric")


def test_it_agrees_with_the_report_of_the_committed_history(tmp_path: Path) -> None:
    mlruns = ROOT / "mlruns"
    samples = committed_samples(tmp_path / "mlflow.db")
    runs = Runs.read(History.open(mlruns))
    for name in registry.models(mlruns):
        task = load(name)
        shown = {}
        for sample in samples:
            labels = sample.labels
            is_of_task = labels["task"] == name
            if is_of_task and labels["metric"] == task.metric.name:
                shown[int(labels["push"])] = (labels["commit"], sample.value)
        expected = {}
        events_of_task = events(task, runs, registry.versions(mlruns, name))
        numbered = list(enumerate(events_of_task, start=1))
        for number, event in numbered[-200:]:
            if event.value is not None:
                # Six digits of a value are shown.
                value = pytest.approx(event.value, rel=1e-5)
                expected[number] = (event.commit[:7], value)
        assert shown == expected


def test_the_newest_200_pushes_of_a_task_have_series(repo: Workspace) -> None:
    add_push(repo, 0, 0.5, "promoted")
    for number in range(1, 203):
        add_push(repo, number, 0.6)
    series = series_of(repo)
    times = series["model_history_pushed_timestamp_seconds"]
    pushes = {int(push) for push, _ in times}
    assert pushes == set(range(4, 204))
    # The push that promoted the champion has no series itself.
    champions = series["model_history_champion_metric"]
    assert champions["rmse", "4", "housing"] == 0.5
    assert champions["rmse", "203", "housing"] == 0.5
    assert len(series["model_history_metric"]) == 400
    assert series["model_history_pushes"] == {("housing",): 203}


def test_a_run_of_a_notebook_does_not_count_as_a_push(repo: Workspace) -> None:
    add_push(repo, 1, 0.5)
    series_of(repo)
    client = MlflowClient(f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}")
    experiment = client.get_experiment_by_name("housing")
    tags = {"gate": "promoted"}
    run_id = client.create_run(experiment.experiment_id, tags=tags).info.run_id
    client.log_metric(run_id, "holdout_rmse", 0.1)
    series = series_of(repo)
    assert series["model_history_pushes"] == {("housing",): 1}
    assert series["model_history_runs"] == {("housing",): 2}


def test_a_history_without_pushes_has_no_series(repo: Workspace) -> None:
    add_run(repo.mlruns)
    assert not any(series_of(repo).values())
    assert PARENT_TAG == "mlflow.parentRunId"  # which the queries name
