"""The process of a job: it gives way, ends with the worker, and may be killed."""

import os
import signal
import sys
from pathlib import Path

import pytest

from pipeline.repo import Repo
from pipeline.worker.job_queue import JobQueue
from tests.support.waiting import wait_until
from tests.unit.pipeline.worker.service import Service, checkout, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
FOREST = {
    "kind": "train",
    "task": "iris",
    "algorithm": "random_forest",
}
LONG = FOREST | {"parameters": {"n_estimators": 100_000}}
LOWEST_PRIORITY = 19


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("jobs")
    return checkout(folder / "checkout")


def children(pid: int) -> list[int]:
    """Return the process IDs of a process's children."""
    pids = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        text = path.read_text("utf-8")
        pids += [int(child) for child in text.split()]
    return pids


def job_processes(service: Service) -> list[int]:
    """Return the worker's processes for jobs: one, or none for a moment."""
    pids = []
    for pid in children(service.process.pid):
        path = Path(f"/proc/{pid}/cmdline")
        command = path.read_text("utf-8")
        if "pipeline.worker.job_process" in command:
            pids.append(pid)
    return pids


def job_process(service: Service) -> int:
    """Wait until a job has its process, and return it."""
    wait_until(lambda: job_processes(service))
    return job_processes(service)[0]


def has_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def has_lowest_priority(pid: int) -> bool:
    return os.getpriority(os.PRIO_PROCESS, pid) == LOWEST_PRIORITY


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_jobs_that_the_worker_s_end_stopped_have_failed(name: str, repo: Repo) -> None:
    with running(repo) as service:
        job = service.submit(**LONG)
        waiting = service.submit(**FOREST)
        service.wait(job, "started")
        process = job_process(service)
        wait_until(lambda: has_lowest_priority(process))
        if name == "SIGTERM":
            # Until the training itself has begun.
            work = service.state / "work"
            wait_until(work.exists)
        queued = service.job(waiting)
        assert queued["status"] == "queued"
        assert service.status("/health") == 200
        number = signal.Signals[name]
        service.process.send_signal(number)
        service.process.wait(20)
        wait_until(lambda: has_gone(process))
    store = JobQueue(repo, service.state).store
    for job_id in (job, waiting):
        record = store.find(job_id)
        assert record
        assert record.status == "failed"
        assert "send it again" in str(record.error)


def test_a_job_that_is_killed_has_failed_and_the_next_runs(repo: Repo) -> None:
    with running(repo) as service:
        killed = service.submit(**LONG)
        service.wait(killed, "started")
        process = job_process(service)
        os.kill(process, signal.SIGKILL)
        job = service.wait(killed)
        assert job["error"] == "its process ended (-9): send it again."
        result = service.run(kind="load", task="iris", version=1)
        assert result["version"] == 1
        assert not (service.state / "work").exists()
