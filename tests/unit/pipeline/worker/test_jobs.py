"""The life of jobs: one at a time, gently, and none left behind when the service ends."""

import os
import signal
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from core.jobs import JobRecord, JobRequest
from pipeline.repo import Repo
from pipeline.worker.job_queue import DAY_MS, JobQueue
from pipeline.worker.job_store import MOST_KEPT, JobStore, now
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.unit.pipeline.worker.service import Service, checkout, running

FOREST = {"kind": "train", "task": "iris", "algorithm": "random_forest"}
LONG = FOREST | {"parameters": {"n_estimators": 100_000}}
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def finished(number: int) -> JobRecord:
    """Return a job that ended at a time."""
    return JobRecord(
        id=uuid4().hex, kind="load", status="succeeded", created=number, ended=number
    )


def test_the_last_hundred_are_kept_and_the_unfinished_have_failed(
    tmp_path: Path,
) -> None:
    (tmp_path / "params.yaml").touch()
    jobs = [finished(number) for number in range(1, 110)]
    running = JobRecord(
        id=uuid4().hex, kind="train", status="running", created=110, started=110
    )
    jobs.append(running)
    store = JobStore(tmp_path)
    for job in jobs:
        store.update(job)
    queue = JobQueue(Repo.open(tmp_path), tmp_path)
    failed = store.all()[-1]
    assert (failed.status, failed.kind) == ("failed", "train")
    assert failed.ended
    assert failed.error and "was stopped before the job had ended" in failed.error
    sent = queue.submit(JobRequest(kind="load", task="iris", version=1))
    kept_ids = [job.id for job in store.all()]
    assert len(kept_ids) == MOST_KEPT
    assert kept_ids == [job.id for job in jobs][-99:] + [sent.id]
    wait_until(lambda: store.all()[-1].ended)
    assert store.all()[-1].error == "iris has no version 1; the versions are: none."


def kept(folder: Path, **changes: object) -> JobRecord:
    """Write the job of a retrain for the drift of iris."""
    store = JobStore(folder)
    job = store.add("retrain", ["iris"])
    return store.update(job, **changes)


def drift(*tasks: str) -> JobRequest:
    return JobRequest(kind="retrain", tasks=list(tasks), drift=True)


def test_repeated_drift_starts_no_second_retrain(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    queue = JobQueue(Repo.open(tmp_path), tmp_path)
    running = kept(tmp_path, status="running", started=now())
    assert queue.submit(drift("iris")) == running
    ended = now() - DAY_MS + 60_000
    queue.store.update(running, status="succeeded", ended=ended)
    assert queue.submit(drift("iris")).id == running.id
    request = drift("iris", "housing")
    both = queue.submit(request)
    assert both.id != running.id
    assert both.drifted == request.tasks == ["housing"]
    assert queue.submit(drift("housing", "iris")).id == both.id


@pytest.mark.parametrize(
    "earlier",
    [
        {"ended": 1},
        {"ended": 1, "drifted": []},
        {"drifted": []},
        {"drifted": ["credit"]},
    ],
)
def test_drift_is_answered_if_it_was_not_within_a_day(
    tmp_path: Path, earlier: dict[str, object]
) -> None:
    (tmp_path / "params.yaml").touch()
    queue = JobQueue(Repo.open(tmp_path), tmp_path)
    before = kept(tmp_path, **earlier)
    job = queue.submit(drift("iris"))
    assert job.id != before.id
    assert job.drifted == ["iris"]


def test_a_retrain_for_drift_that_failed_is_tried_again_and_a_person_is_never_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "params.yaml").touch()
    queue = JobQueue(Repo.open(tmp_path), tmp_path)
    failed = kept(tmp_path)
    queue.store.fail(failed, "GitHub answers 502")
    again = queue.submit(drift("iris"))
    assert again.id != failed.id
    request = JobRequest(kind="retrain", tasks=["iris"])
    jobs = [queue.submit(request), queue.submit(request)]
    assert len({again.id, *(job.id for job in jobs)}) == 3


def children(pid: int) -> dict[int, str]:
    """Return a process's children and their commands."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [int(child) for path in found for child in path.read_text("utf-8").split()]
    return {pid: Path(f"/proc/{pid}/cmdline").read_text("utf-8") for pid in pids}


def job_of(service: Service) -> int:
    """Return the process of the running job."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert time.monotonic() < deadline
        commands = children(service.process.pid)
        if found := [
            pid
            for pid, command in commands.items()
            if "pipeline.worker.job_process" in command
        ]:
            return found[0]
        time.sleep(0.05)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return checkout(tmp_path_factory.mktemp("jobs") / "checkout")


@on_linux
@pytest.mark.slow
@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_job_ends_with_the_service_and_the_next_one_says_so(
    how: str, repo: Repo
) -> None:
    with running(repo) as service:
        at_work, waiting = service.submit(**LONG), service.submit(**FOREST)
        service.wait(at_work, "started")
        process = job_of(service)
        while os.getpriority(os.PRIO_PROCESS, process) < 19:
            time.sleep(0.05)
        while how == "SIGTERM" and not (service.state / "work").exists():
            time.sleep(0.05)  # until the training itself has begun
        assert service.call(f"/jobs/{waiting}")[1]["status"] == "queued"
        assert service.call("/health")[0] == 200
        service.process.send_signal(signal.Signals[how])
        service.process.wait(20)
        assert gone(process)
    jobs = {job.id: job for job in JobQueue(repo, service.state).store.all()}
    for job_id in (at_work, waiting):
        assert jobs[job_id].status == "failed" and "send it again" in str(
            jobs[job_id].error
        )


@on_linux
@pytest.mark.slow
def test_a_job_that_is_killed_has_failed_and_the_next_runs(repo: Repo) -> None:
    with running(repo) as service:
        killed = service.submit(**LONG)
        service.wait(killed, "started")
        os.kill(job_of(service), signal.SIGKILL)
        assert service.wait(killed)["error"] == "its process ended (-9): send it again."
        assert service.run(kind="load", task="iris", version=1)["version"] == 1
        assert not (service.state / "work").exists()
