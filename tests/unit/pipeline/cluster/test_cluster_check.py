"""A cluster that cannot train as this process does is refused with one sentence."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from distributed.comm import CommClosedError

from core.errors import PipelineError
from pipeline.cluster import check, dask_backend
from scripts.loopback import free_port
from tests.paths import ROOT
from tests.support.dask_cluster import OURS, PLAIN, DaskCluster, dask_cluster
from tests.unit.pipeline.train.checkout import new_checkout

pytestmark = [pytest.mark.slow, pytest.mark.nightly]
IMAGE = "from the pipeline image of this commit"
WITHOUT_NANNY = "--no-nanny"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler without workers."""
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(autouse=True)
def without_workers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stop the workers that a test has started."""
    yield
    if "cluster" in request.fixturenames:
        request.getfixturevalue("cluster").stop_workers()


def refusal(address: str) -> str:
    """Return the sentence with which a cluster is refused."""
    with pytest.raises(PipelineError) as caught:
        check.require_usable(address)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_workers_with_our_code_are_accepted(cluster: DaskCluster) -> None:
    cluster.add_worker(WITHOUT_NANNY)
    check.require_usable(cluster.address)


def test_a_cluster_without_workers_is_refused(cluster: DaskCluster) -> None:
    expected = f"the cluster at {cluster.address} has no worker: start one"
    assert expected in refusal(cluster.address)


def test_a_worker_without_the_code_is_refused(cluster: DaskCluster) -> None:
    cluster.add_worker("--nthreads", "1", WITHOUT_NANNY, program=PLAIN)
    sentence = refusal(cluster.address)
    assert "the worker tcp://127.0.0.1:" in sentence
    assert "does not have the code of this training" in sentence
    assert "No module named 'pipeline'" in sentence
    assert IMAGE in sentence


def test_a_scheduler_without_the_code_is_refused(tmp_path: Path) -> None:
    with dask_cluster(tmp_path, PLAIN) as plain:
        plain.add_worker(WITHOUT_NANNY)
        sentence = refusal(plain.address)
    assert "the scheduler does not have the code of this training" in sentence


def test_a_worker_of_another_commit_is_refused(cluster: DaskCluster) -> None:
    other = {"MLOPS_REVISION": "0123456789abcdef"}
    cluster.add_worker(WITHOUT_NANNY, variables=other)
    sentence = refusal(cluster.address)
    assert "has commit 0123456789ab, here " in sentence
    assert IMAGE in sentence


def test_a_worker_with_other_code_is_refused(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    for name in ("core", "history", "pipeline"):
        shutil.copytree(ROOT / name, tmp_path / name)
    estimators = tmp_path / "pipeline" / "train" / "estimators.py"
    text = estimators.read_text("utf-8")
    estimators.write_text(text + "\n# changed\n", "utf-8")
    cluster.add_worker(WITHOUT_NANNY, variables={"PYTHONPATH": str(tmp_path)})
    sentence = refusal(cluster.address)
    assert " has code " in sentence
    assert IMAGE in sentence


def test_a_worker_with_several_threads_is_refused(cluster: DaskCluster) -> None:
    cluster.add_worker("--nthreads", "2", WITHOUT_NANNY)
    assert "has 2 threads" in refusal(cluster.address)


class Silence(BaseHTTPRequestHandler):
    """A server that is no scheduler."""


def test_a_server_that_is_no_scheduler_is_refused() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Silence) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_port}"
        assert f"no Dask scheduler answers at {address}" in refusal(address)
        server.shutdown()


def test_the_command_ends_with_status_1_if_nobody_answers(tmp_path: Path) -> None:
    repo = new_checkout(tmp_path / "checkout")
    address = f"tcp://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--repo", str(repo.root), "train"],
        cwd=ROOT,
        env=os.environ | {"MLOPS_CLUSTER": address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    sentence = f"no Dask scheduler answers at {address}: start it, or correct"
    assert done.stderr == f"error: {sentence} MLOPS_CLUSTER.\n"


@pytest.mark.parametrize("arguments", [[], ["nanny"], ["worker"]])
def test_a_part_that_does_not_exist_is_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *OURS, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: usage: python -m pipeline.cluster scheduler")


def test_a_scheduler_that_ends_after_it_answered_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lose(address: str) -> None:
        raise CommClosedError(f"in <TCP local={address}>: Stream is closed")

    address = f"tcp://127.0.0.1:{free_port()}"
    expected = f"no Dask scheduler answers at {address}: start it, or correct MLOPS_CL"
    monkeypatch.setattr(check, "_check", lose)
    assert expected in refusal(address)
    monkeypatch.setattr(check, "require_usable", lambda address: None)
    monkeypatch.setattr(check, "CONNECT_SECONDS", 1)
    with pytest.raises(PipelineError, match=expected):
        with dask_backend.connect(address):
            pass
