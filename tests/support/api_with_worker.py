"""The API with the worker beside it: both over one checkout, with the same state."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.json_content import Json
from tests.support.serving import ADMIN_KEY, AUTHORIZED, Api
from tests.support.waiting import wait_until
from tests.unit.pipeline.worker.service import checkout, running

NOTHING: Mapping[str, str] = {}


@contextmanager
def api_with_worker(
    folder: Path,
    worker_settings: Mapping[str, str] = NOTHING,
    api_settings: Mapping[str, str] = NOTHING,
) -> Iterator[Api]:
    """Start a worker and an API with a key, which serves the models of the checkout."""
    repo = checkout(folder / "checkout")
    with running(repo, **worker_settings) as worker:
        settings = {
            "API_ADMIN_KEY": ADMIN_KEY,
            "API_TRAINER_URL": f"http://127.0.0.1:{worker.port}",
            "API_STATE": str(worker.state),
            "API_MODELS": str(repo.models),
            **api_settings,
        }
        place = folder / "api"
        place.mkdir()
        with Api(place, models=None, **settings) as api:
            yield api


def job_of(api: Api, job_id: str) -> Json:
    """Return a job as the API describes it at this moment."""
    answer = api.client.get(f"/jobs/{job_id}", headers=AUTHORIZED)
    job: Json = answer.json()
    return job


def ended_job(api: Api, job_id: str) -> Json:
    """Wait until a job has ended, and return it."""
    wait_until(lambda: job_of(api, job_id)["ended"])
    return job_of(api, job_id)


def run_job(
    api: Api,
    path: str,
    body: object = None,
    headers: Mapping[str, str] = NOTHING,
) -> Json:
    """Submit a job without waiting for it, and return it once it has ended."""
    answer = api.client.post(
        path,
        params={"wait": 0},
        json=body,
        headers=AUTHORIZED | dict(headers),
    )
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert job["status"] == "queued"
    return ended_job(api, job["id"])
