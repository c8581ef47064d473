"""The plugin of MLflow's server in the image: files in S3 pass through the server."""

import importlib.metadata
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.store.artifact.artifact_repo import (
    MultipartDownloadMixin,
    MultipartUploadMixin,
)

from deployment.docker.mlflow_plugin.proxied_s3 import ProxiedS3ArtifactRepository
from history import build_database
from scripts.loopback import answers, free_port
from tests.support import seaweedfs
from tests.support.compose import IMAGES, dockerfile
from tests.support.waiting import wait_until

pytest.importorskip("boto3")
PLUGIN = IMAGES / "mlflow_plugin"
ADDRESS = f"s3://{seaweedfs.BUCKET}/mlruns"
NAME = "ä b%.txt"


def test_mlflow_takes_it_for_files_in_s3() -> None:
    (plugin,) = importlib.metadata.distributions(path=[str(PLUGIN)])
    (point,) = plugin.entry_points
    assert (point.group, point.name) == ("mlflow.artifact_repository", "s3")
    module, _, name = point.value.partition(":")
    assert (PLUGIN / f"{module}.py").is_file()
    assert name == ProxiedS3ArtifactRepository.__name__
    copied = "COPY deployment/docker/mlflow_plugin /code/mlops/packages\n"
    assert copied in dockerfile("mlflow")


def test_it_signs_no_address() -> None:
    for mixin in (MultipartDownloadMixin, MultipartUploadMixin):
        assert not issubclass(ProxiedS3ArtifactRepository, mixin)


def test_files_come_back_as_they_were(
    s3: seaweedfs.Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    s3.set_variables(monkeypatch)
    source = tmp_path / "source"
    (source / "plots").mkdir(parents=True)
    (source / "plots" / NAME).write_bytes(b"noted")
    (source / "large.bin").write_bytes(bytes(12_000_000))
    bucket = ProxiedS3ArtifactRepository(ADDRESS)
    bucket.log_artifacts(str(source), "a/b")
    bucket.log_artifact(str(source / "large.bin"), "a")
    listed = {entry.path: entry.file_size for entry in bucket.list_artifacts("a")}
    assert listed == {"a/b": None, "a/large.bin": 12_000_000}
    copy = Path(bucket.download_artifacts("a/b", str(tmp_path)))
    assert (copy / "plots" / NAME).read_bytes() == b"noted"
    assert (copy / "large.bin").read_bytes() == bytes(12_000_000)
    bucket.delete_artifacts("a/large.bin")
    assert [entry.path for entry in bucket.list_artifacts("a")] == ["a/b"]


@contextmanager
def server(s3: seaweedfs.Store, folder: Path) -> Iterator[str]:
    """Run MLflow's server on the store, with the plugin; yield its address."""
    database = folder / "mlflow.db"
    build_database(folder / "no-history", database)
    port = free_port()
    arguments = {
        "--port": str(port),
        "--workers": "1",
        "--backend-store-uri": f"sqlite:///{database.as_posix()}",
        "--artifacts-destination": ADDRESS,
        "--default-artifact-root": "mlflow-artifacts:/.local",
    }
    command = [sys.executable, "-m", "mlflow", "server"]
    for name, value in arguments.items():
        command += [name, value]
    variables = {
        "PYTHONPATH": str(PLUGIN),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    environment = os.environ | s3.variables | variables
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{address}/health"))
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.nightly
def test_a_client_without_a_key_gets_its_files_through_the_server(
    s3: seaweedfs.Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with server(s3, tmp_path) as address:
        features = f"{address}/api/3.0/mlflow/server-info"
        with urllib.request.urlopen(features, timeout=30) as answer:
            announced = json.load(answer)
        assert announced["multipart_downloads_enabled"] is False
        assert announced["multipart_uploads_enabled"] is False
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        client = MlflowClient(address)
        run_id = client.create_run(client.create_experiment("notes")).info.run_id
        client.log_text(run_id, "noted", f"plots/{NAME}")
        (folder,) = client.list_artifacts(run_id)
        assert folder.path == "plots"
        copy = client.download_artifacts(run_id, "plots", str(tmp_path))
        assert (Path(copy) / NAME).read_bytes() == b"noted"
