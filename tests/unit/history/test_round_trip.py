"""All that MLflow stores is imported, and built again as it was."""

import math
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from mlflow import MlflowClient
from mlflow.entities import Metric

from history.build import build_database
from tests.support.history_factories import (
    Workspace,
    import_into,
    new_store,
    new_workspace,
    verify,
)
from tests.support.logged_runs import EXPERIMENTS, Experiments, examples, log_all
from tests.support.mlflow_picture import picture


@examples(3)
@given(EXPERIMENTS)
def test_two_stores_are_equal_entity_by_entity(
    tmp_path: Path, experiments: Experiments
) -> None:
    compare(tmp_path, experiments)


@pytest.mark.slow
@pytest.mark.nightly
@examples(15)
@given(EXPERIMENTS)
def test_many_stores_are_equal_entity_by_entity(
    tmp_path: Path, experiments: Experiments
) -> None:
    compare(tmp_path, experiments)


def client_of(repo: Workspace) -> MlflowClient:
    return MlflowClient(f"sqlite:///{(repo.build / 'mlflow.db').as_posix()}")


def compare(tmp_path: Path, experiments: Experiments) -> None:
    """Log runs, import them, build a database, and compare what MLflow shows of both."""
    folder = tmp_path / uuid4().hex
    uri, client, _ = new_store(folder / "source")
    log_all(client, experiments, (folder / "artifacts").as_uri())
    repo = new_workspace(folder / "clone")
    import_into(repo, uri)
    assert verify(repo) == []
    build_database(repo.mlruns, repo.build / "mlflow.db")

    rebuilt = client_of(repo)
    assert picture(rebuilt) == picture(client)


def test_of_zero_and_not_a_number_at_once_the_one_shown_stays(tmp_path: Path) -> None:
    for first, second in ((0.0, math.nan), (math.nan, 0.0)):
        folder = tmp_path / str(first)
        uri, client, experiment = new_store(folder / "source")
        run_id = client.create_run(experiment).info.run_id
        points = [
            Metric("loss", first, 1, 1),
            Metric("loss", second, 1, 1),
        ]
        client.log_batch(run_id, points)
        client.set_terminated(run_id)
        repo = new_workspace(folder / "clone")
        import_into(repo, uri, [run_id])
        build_database(repo.mlruns, repo.build / "mlflow.db")
        assert picture(client_of(repo)) == picture(client)


@pytest.mark.slow
@pytest.mark.nightly
def test_a_history_of_more_than_one_page_is_whole(tmp_path: Path) -> None:
    uri, client, experiment = new_store(tmp_path / "source")
    run_id = client.create_run(experiment).info.run_id
    for start in range(0, 26_000, 1000):
        points = []
        for step in range(start, start + 1000):
            points.append(Metric("loss", step / 7, step, step))
        client.log_batch(run_id, points)
    client.set_terminated(run_id)
    repo = new_workspace(tmp_path / "clone")
    import_into(repo, uri)
    build_database(repo.mlruns, repo.build / "mlflow.db")
    rebuilt = client_of(repo)
    assert len(rebuilt.get_metric_history(run_id, "loss")) == 26_000
    assert picture(rebuilt) == picture(client)
