"""The variables of a cluster are read in one place, and refused if they are wrong."""

from pathlib import Path

import pytest

from core.errors import UsageError
from pipeline.cluster import settings
from pipeline.cluster.__main__ import run
from pipeline.train.train import train
from tests.unit.pipeline.train.checkout import bundle_folder, new_checkout

GOOD = (
    "tcp://127.0.0.1:8786",
    "tcp://dask-scheduler:8786",
    "tls://Cluster.example.org:443",
    "tcp://[::1]:8786",
)
BAD = (
    "127.0.0.1:8786",
    "dask-scheduler",
    "http://127.0.0.1:8787/status",
    "tcp://",
    "tcp://:8786",
    "tcp://dask-scheduler",
    "tcp://dask-scheduler:0",
    "tcp://dask-scheduler:port",
    "tcp://dask-scheduler:99999",
    "tcp://dask-scheduler:8786/",
    "tcp://ann@dask-scheduler:8786",
    "tcp://dask-scheduler:8786, tcp://other:8786",
)
STORES = (
    str(Path("/shared/tables").absolute()),
    "s3://our-bucket",
    "s3://our-bucket/tables",
)
NO_STORES = (
    "tables",
    "./tables",
    "s3:",
    "s3://",
    "s3://Bucket/tables",
    "s3:/our-bucket",
    "https://example.org/tables",
)


def test_without_the_variable_there_is_no_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.address() == ""
    monkeypatch.setenv("MLOPS_CLUSTER", " ")
    assert settings.address() == ""


@pytest.mark.parametrize("address", GOOD)
def test_an_address_is_taken_as_it_is(
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_CLUSTER", address)
    assert settings.address() == address


@pytest.mark.parametrize("address", BAD)
def test_anything_else_is_wrong_usage(
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_CLUSTER", address)
    with pytest.raises(UsageError, match="MLOPS_CLUSTER: .* tcp://HOST:PORT"):
        settings.address()


def test_rows_are_sent_to_the_workers_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settings.tables() == ""
    monkeypatch.setenv("MLOPS_CLUSTER_TABLES", " ")
    assert settings.tables() == ""


@pytest.mark.parametrize("store", STORES)
def test_a_store_of_tables_is_a_folder_or_a_bucket(
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_CLUSTER_TABLES", f"{store}/")
    assert settings.tables() == store


@pytest.mark.parametrize("store", NO_STORES)
def test_another_place_for_tables_is_wrong_usage(
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLOPS_CLUSTER_TABLES", store)
    message = "MLOPS_CLUSTER_TABLES: .* the absolute path of a folder .* or s3://BUCKET"
    with pytest.raises(UsageError, match=message):
        settings.tables()


@pytest.mark.parametrize("address", BAD)
def test_a_worker_takes_no_other_address(address: str) -> None:
    with pytest.raises(UsageError, match="^worker: .* is not the address of a Dask"):
        run(["worker", address])


def test_a_training_with_a_wrong_address_leaves_no_old_bundle(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repo = new_checkout(tmp_path / "checkout")
    old = bundle_folder(repo)
    old.mkdir(parents=True)
    (old / "bundle.json").write_text("{}")
    monkeypatch.setenv("MLOPS_CLUSTER", "dask-scheduler:8786")
    with pytest.raises(UsageError, match="is not the address of a Dask scheduler"):
        train(repo, [], old)
    assert not old.exists()
