"""What Prometheus is told of a history is what its files say."""

import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen, run
from urllib.request import urlopen

import pytest
from mlflow import MlflowClient
from prometheus_client.parser import text_string_to_metric_families

from history import History, build, registry
from history.metrics import Exporter
from history.mlflow_rows import PARENT_TAG
from pipeline.report.pushes import Runs, events
from pipeline.tasks import load
from scripts.loopback import free_port
from tests.paths import ROOT
from tests.support.history_factories import (
    STARTED,
    Workspace,
    add_run,
    model_id,
    promote,
)
from tests.support.waiting import wait_until

Samples = dict[tuple[str, ...], float]


def add_push(repo: Workspace, number: int, rmse: float, gate: str = "refused") -> None:
    """Add what a push leaves: the parent that was judged, and the candidate below it."""
    metrics = {
        "holdout_rmse": [(9.0, 0, 0), (rmse, 1, 1)],
        "holdout_r2": [(1 - rmse, 0, 0)],
        "holdout_odd": [(float("nan"), 0, 0)],
        "cv_rmse_mean": [(rmse, 0, 0)],
    }
    started = STARTED + 60_000 * number
    tags = {
        "gate": gate,
        "gate.reason": "",
        "mlflow.source.git.commit": f"{number:07d}" + "f" * 33,
    }
    parent = add_run(repo.mlruns, started=started, metrics=metrics, tags=tags)
    files = {model_id(): {"model.onnx": b"%d" % number}}
    candidate = add_run(
        repo.mlruns, {}, files, started=started + 1, parent=parent.run_id
    )
    if gate == "promoted":
        promote(
            repo,
            candidate,
            promoted=started + 2,
            metrics={"rmse": rmse, "r2": 1 - rmse},
        )


def told(repo: Workspace) -> dict[str, Samples]:
    """Return the series by family, each with its labels' values in the order of their
    names.
    """
    exporter = Exporter()
    build.build_database(repo.mlruns, repo.build / "mlflow.db")
    exporter.update(repo.build / "mlflow.db")
    return {
        family.name: {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for sample in family.samples
        }
        for family in exporter.collect()
    }


def test_each_push_is_told_with_all_its_metrics_and_the_champion_that_it_left(
    repo: Workspace,
) -> None:
    for number, (rmse, gate) in enumerate(
        [(0.9, "refused"), (0.5, "promoted"), (0.7, "refused"), (0.25, "promoted")],
        start=1,
    ):
        add_push(repo, number, rmse, gate)
    first = registry.versions(repo.mlruns, "housing")[0]
    metrics = {"holdout_rmse": [(0.5, 0, 0)], "holdout_r2": [(0.5, 0, 0)]}
    again = add_run(
        repo.mlruns, {}, {model_id(): {"model.onnx": b"2"}}, metrics=metrics
    )
    promote(
        repo, again, decided_by="hand", promoted=STARTED + 600_000, commit=first.commit
    )
    add_push(repo, 11, 0.3)
    found = told(repo)
    # In the order of the labels' names: commit, decision, metric, push, task, version.
    assert found["model_history_metric"] == {
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
    champions = found["model_history_champion_metric"]
    assert [champions["rmse", str(push), "housing"] for push in range(2, 7)] == [
        0.5,
        0.5,
        0.25,
        0.5,
        0.5,
    ]
    assert ("rmse", "1", "housing") not in champions and len(champions) == 10
    times = found["model_history_pushed_timestamp_seconds"]
    assert times["1", "housing"] == STARTED / 1000 + 60 and len(times) == 6
    assert found["model_history_pushes"] == {("housing",): 6}
    assert found["model_history_runs"] == {("housing",): 11}


def test_it_is_what_the_report_says_of_the_committed_history(tmp_path: Path) -> None:
    mlruns = ROOT / "mlruns"
    build.build_database(mlruns, tmp_path / "mlflow.db")
    exporter = Exporter()
    exporter.update(tmp_path / "mlflow.db")
    runs = Runs.read(History.open(mlruns))
    for name in registry.models(mlruns):
        task = load(name)
        pushes = events(task, runs, registry.versions(mlruns, name))
        (family,) = (f for f in exporter.collect() if f.name == "model_history_metric")
        shown = {
            int(sample.labels["push"]): (sample.labels["commit"], sample.value)
            for sample in family.samples
            if (sample.labels["task"], sample.labels["metric"])
            == (name, task.metric.name)
        }
        expected = {
            n: (push.commit[:7], push.value) for n, push in enumerate(pushes, start=1)
        }
        newest = sorted(expected)[-200:]
        assert shown.keys() == {n for n in newest if expected[n][1] is not None}
        for n, (commit, value) in shown.items():  # six digits of a value are shown
            assert (commit, value) == (
                expected[n][0],
                pytest.approx(expected[n][1], rel=1e-5),
            )


def test_the_newest_200_pushes_of_a_task_are_told(repo: Workspace) -> None:
    add_push(repo, 0, 0.5, "promoted")
    for number in range(1, 203):
        add_push(repo, number, 0.6)
    found = told(repo)
    times = found["model_history_pushed_timestamp_seconds"]
    assert {int(push) for push, _ in times} == set(range(4, 204))
    champions = found[
        "model_history_champion_metric"
    ]  # of a push that is not told itself
    assert (
        champions["rmse", "4", "housing"] == champions["rmse", "203", "housing"] == 0.5
    )
    assert len(found["model_history_metric"]) == 400
    assert found["model_history_pushes"] == {("housing",): 203}


def test_what_a_notebook_logs_is_no_push(repo: Workspace) -> None:
    add_push(repo, 1, 0.5)
    told(repo)
    uri = f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("housing")
    run_id = client.create_run(
        experiment.experiment_id, tags={"gate": "promoted"}
    ).info.run_id
    client.log_metric(run_id, "holdout_rmse", 0.1)
    found = told(repo)
    assert found["model_history_pushes"] == {("housing",): 1}
    assert found["model_history_runs"] == {("housing",): 2}


def test_a_history_without_pushes_has_no_series(repo: Workspace) -> None:
    add_run(repo.mlruns)
    assert not any(told(repo).values())
    assert PARENT_TAG == "mlflow.parentRunId"  # which the queries name


def scrape(port: int) -> dict[str, list[tuple[dict[str, str], float]]]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_the_watcher_tells_and_follows_the_history(repo: Workspace) -> None:
    add_push(repo, 1, 0.5, "promoted")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "history",
        "--folder",
        str(repo.mlruns),
        "watch",
        "--db",
        str(repo.build / "mlflow.db"),
        "--metrics-port",
        str(port),
    ]
    with Popen(command, cwd=ROOT, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout and "2 added" in process.stdout.readline()
            assert scrape(port)["model_history_pushes"] == [({"task": "housing"}, 1)]
            add_push(repo, 2, 0.25)
            pushes = [({"task": "housing"}, 2)]
            wait_until(lambda: scrape(port)["model_history_pushes"] == pushes)
            found = scrape(port)
            assert found["history_build_failures"][0] == ({}, 0)
            ((_, looked),) = found["history_build_last_success_timestamp_seconds"]
            assert time.time() - 20 < looked <= time.time()
        finally:
            process.kill()


def test_the_image_of_mlflow_needs_nothing_of_the_report() -> None:
    script = (
        "import sys, history.cli, history.metrics; "
        "print({'app', 'numpy', 'pandas', 'matplotlib', 'mlflow'} & set(sys.modules))"
    )
    done = run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
