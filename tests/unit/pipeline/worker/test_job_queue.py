"""The queue of jobs: one runs at a time, and none outlives the worker."""

from pathlib import Path
from uuid import uuid4

import pytest

from core.jobs import JobRecord, JobRequest
from pipeline.repo import Repo
from pipeline.worker.job_queue import DAY_MS, JobQueue
from pipeline.worker.job_store import MOST_KEPT, JobStore, now
from tests.support.waiting import wait_until

LOAD = JobRequest(kind="load", task="iris", version=1)


def write_ended(store: JobStore, moment: int) -> JobRecord:
    """Write a job that was created and ended at a moment."""
    job = JobRecord(
        id=uuid4().hex,
        kind="load",
        status="succeeded",
        created=moment,
        ended=moment,
    )
    return store.update(job)


def new_queue(folder: Path) -> JobQueue:
    """Return a queue whose checkout has no history."""
    (folder / "params.yaml").touch()
    repo = Repo.open(folder)
    return JobQueue(repo, folder)


def test_unfinished_jobs_have_failed_when_the_worker_starts(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    job = store.add("train", [])
    store.update(job, status="running", started=now())
    new_queue(tmp_path)
    (failed,) = store.all()
    assert failed.kind == "train"
    assert failed.status == "failed"
    assert failed.ended
    assert failed.error
    assert "was stopped before the job had ended" in failed.error


def test_the_last_hundred_are_kept(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    ids = []
    for moment in range(1, 111):
        job = write_ended(store, moment)
        ids.append(job.id)
    queue = new_queue(tmp_path)
    submitted = queue.submit(LOAD)
    ids.append(submitted.id)
    kept = [job.id for job in store.all()]
    assert kept == ids[-MOST_KEPT:]


def test_a_submitted_job_runs(tmp_path: Path) -> None:
    queue = new_queue(tmp_path)
    job = queue.submit(LOAD)

    def ended() -> JobRecord | None:
        current = queue.store.find(job.id)
        return current if current and current.ended else None

    wait_until(ended)
    failed = ended()
    assert failed
    assert failed.error == "iris has no version 1; the versions are: none."


def write_retrain(store: JobStore, **changes: object) -> JobRecord:
    """Write the job of a retrain for the drift of iris."""
    job = store.add("retrain", ["iris"])
    return store.update(job, **changes)


def drift(*tasks: str) -> JobRequest:
    return JobRequest(kind="retrain", tasks=list(tasks), drift=True)


def test_repeated_drift_starts_no_second_retrain(tmp_path: Path) -> None:
    queue = new_queue(tmp_path)
    running = write_retrain(queue.store, status="running", started=now())
    request = drift("iris")
    assert queue.submit(request) == running
    yesterday = now() - DAY_MS
    ended = yesterday + 60_000
    queue.store.update(running, status="succeeded", ended=ended)
    again = queue.submit(request)
    assert again.id == running.id


def test_drift_of_more_tasks_retrains_the_others(tmp_path: Path) -> None:
    queue = new_queue(tmp_path)
    running = write_retrain(queue.store, status="running", started=now())
    request = drift("iris", "housing")
    second = queue.submit(request)
    assert second.id != running.id
    assert second.drifted == ["housing"]
    assert request.tasks == ["housing"]
    again = queue.submit(drift("housing", "iris"))
    assert again.id == second.id


@pytest.mark.parametrize(
    "earlier",
    [
        {"ended": 1},
        {"ended": 1, "drifted": []},
        {"drifted": []},
        {"drifted": ["credit"]},
    ],
)
def test_drift_is_retrained_unless_it_was_within_a_day(
    tmp_path: Path, earlier: dict[str, object]
) -> None:
    queue = new_queue(tmp_path)
    before = write_retrain(queue.store, **earlier)
    request = drift("iris")
    job = queue.submit(request)
    assert job.id != before.id
    assert job.drifted == ["iris"]


def test_a_retrain_for_drift_that_failed_is_tried_again(tmp_path: Path) -> None:
    queue = new_queue(tmp_path)
    failed = write_retrain(queue.store)
    queue.store.fail(failed, "GitHub answers 502")
    again = queue.submit(drift("iris"))
    assert again.id != failed.id


def test_a_request_of_a_person_always_starts_a_retrain(tmp_path: Path) -> None:
    queue = new_queue(tmp_path)
    for_drift = drift("iris")
    by_a_person = JobRequest(kind="retrain", tasks=["iris"])
    ids = set()
    for request in (for_drift, by_a_person, by_a_person):
        job = queue.submit(request)
        ids.add(job.id)
    assert len(ids) == 3
