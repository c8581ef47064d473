"""Trainings on a scheduler and two workers that are containers of the pipeline's image."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import tasks
from pipeline.data import fetch as source
from pipeline.data import table as tables
from pipeline.repo import Repo
from scripts.stack.settings import SCHEDULER
from tests.stack.cluster import BUILD, WORKERS, Cluster, train_here
from tests.stack.engine import docker
from tests.stack.faster import shorten_all_trainings
from tests.support import strategies
from tests.unit.pipeline.train.checkout import digests, results_of
from tools.documents import checkout as checkouts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TASKS = ("housing", "iris", "credit")
# The line of the log at which a worker is killed; other units are computed meanwhile.
MIDDLE = "housing: random_forest, fold 2 "
PACKAGES = "PYTHONPATH=/mlops/rest:/mlops/packages"
ANNOUNCEMENT = f"Training on {WORKERS} workers of {SCHEDULER}. "


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the tables of all tasks, so that containers need no network."""
    for name in TASKS:
        is_here, reason = strategies.real(name)
        if not is_here:
            pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("cluster") / "checkout"
    checkouts.copy_to(folder)
    shorten_all_trainings(folder)
    repo = Repo.open(folder)
    for name in TASKS:
        task = tasks.load(name)
        dataset = source.fetch(task, repo)
        tables.write(source.snapshot_path(repo.data, task), dataset.table)
    return folder


@pytest.fixture(scope="module")
def cluster(checkout: Path) -> Iterator[Cluster]:
    """A scheduler and two workers."""
    running = Cluster(checkout)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def local(checkout: Path) -> Repo:
    """The checkout with the bundle of a training in processes of this machine."""
    folder = checkout.parent / "local"
    train_here(checkout, folder)
    return with_build(checkout, folder)


def with_build(checkout: Path, folder: Path) -> Repo:
    """Return the checkout with another build folder."""
    repo = Repo.open(checkout)
    repo.build = folder
    return repo


def finish(training: subprocess.Popen[str]) -> list[str]:
    """Wait until a training has succeeded, and return the lines of its log."""
    _, log = training.communicate()
    assert training.returncode == 0, log
    return log.splitlines()


def refusal(cluster: Cluster, address: str = SCHEDULER) -> str:
    """Return the sentence with which a training on a cluster is refused in time."""
    began = time.monotonic()
    process = cluster.refused_training(address)
    _, log = process.communicate()
    seconds = time.monotonic() - began
    print(f"\n{address}: refused {seconds:.1f} s after the start of the command")
    assert process.returncode == 1, log
    assert "Traceback" not in log
    (sentence,) = [line for line in log.splitlines() if line.startswith("error: ")]
    return sentence


def test_workers_of_another_commit_are_refused(cluster: Cluster) -> None:
    other = ("--env", "MLOPS_REVISION=0123456789abcdef")
    with cluster.another_worker(*other):
        sentence = refusal(cluster)
    assert " has commit 0123456789ab, here " in sentence
    assert "from the pipeline image of this commit" in sentence


def test_workers_without_the_code_are_refused(cluster: Cluster) -> None:
    plain = ("--env", PACKAGES, "--workdir", "/tmp", "--entrypoint", "python -m dask")
    with cluster.another_worker(*plain, more="--nthreads 1"):
        sentence = refusal(cluster)
    assert " does not have the code of this training" in sentence


def test_clusters_that_do_not_answer_are_refused(cluster: Cluster) -> None:
    unreachable = (
        "tcp://dask-scheduler:9",  # nobody listens
        "tcp://192.0.2.1:8786",  # an address for documentation, which nobody has
    )
    for address in unreachable:
        sentence = refusal(cluster, address)
        assert f"no Dask scheduler answers at {address}" in sentence


def test_a_scheduler_that_hangs_is_refused(cluster: Cluster) -> None:
    (scheduler,) = cluster.stack.containers("dask-scheduler")
    docker("pause", scheduler["Id"])
    try:
        sentence = refusal(cluster)
    finally:
        docker("unpause", scheduler["Id"])
    assert f"no Dask scheduler answers at {SCHEDULER}" in sentence


def test_bundles_are_those_of_this_machine_though_a_worker_is_killed(
    cluster: Cluster, checkout: Path, local: Repo, tmp_path: Path
) -> None:
    training = cluster.training(SCHEDULER)
    assert training.stderr
    log = []
    for line in training.stderr:
        log.append(line)
        if line.startswith(MIDDLE):
            cluster.kill_a_worker()
    log += finish(training)
    assert any(line.startswith(ANNOUNCEMENT) for line in log), "".join(log)
    print(*[line for line in log if " units of work took " in line])
    cluster.await_workers(WORKERS - 1)

    cluster.copy_bundle(tmp_path)
    distributed = with_build(checkout, tmp_path)
    expected = digests(local)
    models = [key for key in expected if key[-1] == "model.onnx"]
    assert {task for task, _, _ in models} == set(TASKS)
    assert digests(distributed) == expected
    assert results_of(distributed) == results_of(local)


def test_tables_that_workers_read_from_a_volume_give_the_same_bundle(
    cluster: Cluster, checkout: Path, local: Repo, tmp_path: Path
) -> None:
    task = ("--task", "credit")
    finish(cluster.training(SCHEDULER, *task, tables=f"{BUILD}/tables"))
    cluster.copy_bundle(tmp_path)
    actual = digests(with_build(checkout, tmp_path))
    assert actual
    expected = digests(local)
    for key, digest in actual.items():
        assert digest == expected[key], key
