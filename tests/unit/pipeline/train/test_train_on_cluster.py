"""A training on a cluster gives the bytes of one on this machine, whatever dies."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import PipelineError
from pipeline.cluster import dask_backend, table_store
from pipeline.cluster.table_store import StoredTable
from pipeline.cluster.table_store import save as save_table
from pipeline.train.candidates import Candidate, Failure, fit_all
from pipeline.train.train import train
from pipeline.train.units import Outcome, Unit
from tests.support import strategies
from tests.support.dask_cluster import DaskCluster, dask_cluster
from tests.support.json_content import Json
from tests.unit.pipeline.train.checkout import (
    Training,
    bundle_folder,
    check_same_files_and_results,
    new_checkout,
    replace_housing,
)

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
CANDIDATES: dict[str, Json] = {
    "dummy": {},
    "random_forest": {"n_estimators": 10, "max_features": 0.6},
    "gradient_boosting": {"n_estimators": 20, "subsample": 0.7},
    "hist_gradient_boosting": {"max_iter": 10, "learning_rate": -1},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler and two workers, without Dask's nannies."""
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as running:
        running.add_worker("--no-nanny")
        running.add_worker("--no-nanny")
        yield running


def contents(results: list[Candidate | Failure]) -> list[Any]:
    """Return all that is the same in each training, in a form that `==` compares."""
    compared: list[Any] = []
    for result in results:
        if isinstance(result, Failure):
            compared.append(result)
            continue
        values = [
            result.algorithm,
            result.onnx,
            result.folds,
            result.metrics,
            result.parity,
            np.asarray(result.importance).tobytes(),
        ]
        compared.append(values)
    return compared


@pytest.mark.parametrize("store", ["", "tables"], ids=["sent", "read"])
def test_the_bundle_has_the_same_bytes_and_the_log_shows_every_fold(
    store: str,
    cluster: DaskCluster,
    trained: Training,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    replace_housing(monkeypatch, strategies.task_of("housing", 400))
    monkeypatch.setenv("MLOPS_CLUSTER", cluster.address)
    if store:
        monkeypatch.setenv("MLOPS_CLUSTER_TABLES", str(tmp_path / store))
    other = new_checkout(tmp_path / "elsewhere")
    train(other, [], bundle_folder(other))
    check_same_files_and_results(other, trained.repo)
    # The rows to train on and those held out, of two tasks.
    stored = list(tmp_path.glob("tables/*.parquet"))
    assert len(stored) >= 4 or not store
    log = capsys.readouterr().err.splitlines()
    first = f"Training on 2 workers of {cluster.address}."
    assert log[0] == f"{first} Dashboard: {cluster.dashboard}"
    assert "iris: linear_discriminant, fold 3 (7 of 12)" in log
    assert "housing: hist_gradient_boosting, final fit (8 of 8)" in log
    summaries = [line for line in log if " units of work took " in line]
    counts = [line.split(" units")[0] for line in summaries]
    assert counts == ["iris: 12", "housing: 8"]


def test_a_worker_killed_in_the_middle_changes_nothing(cluster: DaskCluster) -> None:
    data = strategies.training_data("housing", 2000)
    expected = list(fit_all(data, CANDIDATES))
    assert isinstance(expected[3], Failure)
    victim = cluster.workers[0]

    def kill(unit: Unit, _: Outcome) -> None:
        if unit.algorithm == "random_forest" and unit.fold == 0:
            victim.kill()
            victim.wait()

    with dask_backend.connect(cluster.address) as backend:
        results = list(fit_all(data, CANDIDATES, backend, kill))
    assert victim.poll() is not None
    assert contents(results) == contents(expected)


def test_a_table_that_workers_cannot_read_ends_the_training_in_a_sentence(
    cluster: DaskCluster,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = strategies.training_data("housing")
    # A path of this machine that others do not have.
    monkeypatch.setattr(table_store, "save", save_and_delete)
    with dask_backend.connect(cluster.address, str(tmp_path)) as backend:
        with pytest.raises(PipelineError, match="a worker cannot read .*No such file"):
            list(fit_all(data, CANDIDATES, backend))


def save_and_delete(table: pd.DataFrame, store: str) -> StoredTable:
    """Save a table where no worker sees it."""
    stored = save_table(table, store)
    Path(store, stored.name).unlink()
    return stored


def test_work_that_kills_its_workers_ends_in_a_sentence(tmp_path: Path) -> None:
    with dask_cluster(tmp_path) as cluster:
        cluster.add_worker()  # its nanny starts it again
        with dask_backend.connect(cluster.address) as backend:
            # Workers do not have the tests, but a nested function is sent to them.
            results = backend.map(lambda _, number: os._exit(number), None, [3])
            with pytest.raises(PipelineError, match="^3: .* give them more memory"):
                next(results)


def test_a_lost_scheduler_ends_the_training_in_a_sentence(tmp_path: Path) -> None:
    data = strategies.training_data("housing", 2000)
    with dask_cluster(tmp_path) as cluster:
        cluster.add_worker("--no-nanny")

        def kill(*_: object) -> None:
            cluster.scheduler.kill()

        with dask_backend.connect(cluster.address) as backend:
            with pytest.raises(PipelineError, match="is gone: start it"):
                list(fit_all(data, CANDIDATES, backend, kill))
