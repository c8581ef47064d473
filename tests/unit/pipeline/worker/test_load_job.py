"""What the job "load" refuses; that it loads is tested in test_job_service.py."""

from pathlib import Path

import pytest

from core.errors import PipelineError, UsageError
from core.jobs import JobRequest
from history import registry
from pipeline.repo import Repo
from pipeline.worker import load_job
from tests.unit.pipeline.worker.service import checkout


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return checkout(tmp_path_factory.mktemp("load"))


def refusal(repo: Repo, state: Path, **fields: object) -> str:
    """Return the message of the error that a job ends with."""
    request = JobRequest.model_validate({"kind": "load", **fields})
    with pytest.raises(UsageError) as caught:
        load_job.run(repo, state, request)
    assert not (state / "loaded").exists()
    return str(caught.value)


def test_a_model_that_does_not_exist_is_refused(repo: Repo, tmp_path: Path) -> None:
    error = refusal(repo, tmp_path, task="housing", run_id="f" * 32)
    assert "housing has no run" in error
    error = refusal(repo, tmp_path, version=1)
    assert "has no version 1" in error
    error = refusal(repo, tmp_path, task="iris")
    assert "has no version None" in error


def test_a_run_of_another_task_is_refused(repo: Repo, tmp_path: Path) -> None:
    of_iris = registry.versions(repo.mlruns, "iris")[0]
    error = refusal(repo, tmp_path, task="credit", run_id=of_iris.run_id)
    assert "credit has no run" in error


def test_a_folder_that_cannot_be_written_is_named(repo: Repo, tmp_path: Path) -> None:
    """In a cluster it is read-only: docs/kubernetes.md."""
    folder = tmp_path / "loaded"
    folder.write_text("not a folder")
    request = JobRequest(kind="load", task="iris", version=1)
    with pytest.raises(PipelineError) as caught:
        load_job.run(repo, tmp_path, request)
    error = str(caught.value)
    assert error.startswith(f"{folder / 'iris'}: no model can be loaded here (")
    assert "`pipeline promote`" in error
