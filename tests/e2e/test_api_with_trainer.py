"""The API with the trainer beside it: explanations, and jobs from the request to the
service.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn.datasets import load_iris

from pipeline.repo import Repo
from tests.support.problems import problem_of
from tests.support.service import MODELS, TASKS
from tests.support.serving import Api, golden, manifest
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.unit.pipeline.worker.service import checkout, running

pytestmark = pytest.mark.slow
KEY = {"X-API-Key": "a key for the tests"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API and a trainer over the same checkout and the same state."""
    repo: Repo = checkout(tmp_path_factory.mktemp("checkout"))
    with running(repo) as trainer:
        settings = {
            "API_ADMIN_KEY": KEY["X-API-Key"],
            "API_TRAINER_URL": f"http://127.0.0.1:{trainer.port}",
            "API_STATE": str(trainer.state),
            "API_MODELS": str(repo.models),
        }
        with Api(tmp_path_factory.mktemp("api"), models=None, **settings) as api:
            yield api


def run(api: Api, path: str, body: Any = None) -> dict[str, Any]:
    """Ask for a job without waiting for it, and return it once it has ended."""
    asked = api.client.post(path, params={"wait": 0}, json=body, headers=KEY)
    assert asked.status_code == 202, asked.text
    assert asked.json()["status"] == "queued"
    job: dict[str, Any] = {}

    def ended() -> bool:
        job.update(api.client.get(f"/jobs/{asked.json()['id']}", headers=KEY).json())
        return job["ended"] is not None

    wait_until(ended)
    return job


def version(api: Api, task: str) -> int:
    found: int = api.get("/health")["models"][task]
    return found


@pytest.mark.parametrize("task", TASKS)
def test_an_explanation_adds_up_to_the_prediction(served: Api, task: str) -> None:
    record = golden(task)
    answer = served.post(f"/explain/{task}", record)
    prediction = served.post(f"/predict/{task}", record)
    assert set(answer["values"]) == set(record)
    total = answer["base_value"] + sum(answer["values"].values())
    assert answer["sum"] == pytest.approx(total)
    assert answer["sum"] == pytest.approx(answer["prediction"], rel=1e-5)
    if manifest(MODELS / task)["target"]["classes"]:
        assert answer["output"] == prediction["prediction"]
        assert answer["prediction"] == pytest.approx(prediction["confidence"], rel=1e-5)
    else:
        assert answer["prediction"] == pytest.approx(prediction["prediction"], rel=1e-5)
    for key in ("task", "model_version", "run_id"):
        assert answer[key] == prediction[key]


@pytest.mark.parametrize("task", TASKS)
def test_without_a_task_in_the_path_the_fields_decide_what_is_explained(
    served: Api, task: str
) -> None:
    record = golden(task)
    bodies = {
        "one": record,
        "list": [record] * 2,
        "table": {"features": [[*record.values()]]},
    }
    for name, body in bodies.items():
        answer, own = served.post("/explain", body), served.post(
            f"/explain/{task}", body
        )
        assert answer.pop("request_id") != own.pop("request_id")
        assert answer == own, name
        assert answer["task"] == task


def test_a_list_is_explained_with_a_list_and_a_long_one_refused(served: Api) -> None:
    record = golden("iris")
    single, listed = served.post("/explain/iris", record), served.post(
        "/explain/iris", [record] * 2
    )
    assert [row["values"] for row in listed["explanations"]] == [single["values"]] * 2
    assert (
        "more than 10 records"
        in served.post("/explain/iris", [record] * 11, 413)["detail"]
    )


def test_an_older_version_is_loaded_and_the_champion_again(served: Api) -> None:
    champion = version(served, "housing")
    job = run(served, "/models/housing/load", {"version": 1})
    assert (job["status"], job["result"]["version"]) == ("succeeded", 1)
    wait_until(lambda: version(served, "housing") == 1)
    assert served.post("/predict", golden("housing"))["model_version"] == 1
    assert served.post("/explain/housing", golden("housing"))["model_version"] == 1
    run_id = manifest(MODELS / "housing")["run_id"]
    assert run(served, f"/model/load/{run_id}")["status"] == "succeeded"
    wait_until(lambda: version(served, "housing") == champion)


def answer(api: Api, path: str, body: Any = None) -> dict[str, Any]:
    """Ask for a job, wait for its end in the same request, and return the answer."""
    asked = api.client.post(path, json=body, headers=KEY, timeout=300)
    while asked.status_code == 202:  # other tests may keep the machine busy
        job = api.client.get(f"/jobs/{asked.json()['id']}", headers=KEY).json()
        assert job["error"] is None, job
        asked = api.client.post(path, json=body, headers=KEY, timeout=300)
    assert asked.status_code == 200, asked.text
    found: dict[str, Any] = asked.json()
    assert found["status"] == "succeeded" and found["error"] is None
    return found


def irises() -> dict[str, Any]:
    iris = load_iris()
    return {"data": iris.data.tolist(), "target": iris.target.tolist()}


def test_a_training_as_documents_show_it_is_answered_with_the_run_which_can_be_loaded(
    served: Api,
) -> None:
    body = irises() | {
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 20},
    }
    result = answer(served, "/train", body)
    assert result["metrics"]["accuracy"] > 0.8
    assert (
        result["result"]["task"] == "iris"
        and result["result"]["algorithm"] == "random_forest"
    )
    run_id = result["run_id"]
    loaded = answer(served, f"/model/load/{run_id}")
    assert loaded["run_id"] == run_id
    assert loaded["metrics"] == pytest.approx(result["metrics"], rel=1e-3)
    wait_until(lambda: served.get("/models/iris")["run_id"] == run_id)
    assert served.post("/predict/iris", golden("iris"))["run_id"] == run_id


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        (
            "/models/housing/load",
            {"version": 999},
            "housing has no version 999; the versions are",
        ),
        (
            "/train",
            {"hyperparameters": {"trees": 3}},
            "'trees' is not a known parameter of random_forest",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_the_answer(
    served: Api, path: str, body: Any, words: str
) -> None:
    if path == "/train":
        body = {"task": "iris", "algorithm": "random_forest"} | body
    asked = served.client.post(path, json=body, headers=KEY, timeout=PATIENCE_SECONDS)
    assert asked.status_code == 422, asked.text
    assert words in asked.json()["detail"]


def kept_jobs(api: Api) -> list[dict[str, Any]]:
    folder = Path(api.environment["API_STATE"]) / "jobs"
    return [json.loads(path.read_bytes()) for path in folder.glob("*.json")]


def test_others_are_answered_while_a_client_waits_and_its_leaving_stops_no_job(
    served: Api,
) -> None:
    body = irises() | {
        "algorithm": "random_forest",
        "hyperparameters": {"n_estimators": 33},
    }
    before = {job["id"] for job in kept_jobs(served)}
    other = httpx.Client(base_url=served.client.base_url, headers=KEY)
    with other, ThreadPoolExecutor() as pool:
        leaving = pool.submit(other.post, "/train", json=body, timeout=1)
        answered = 0
        while not leaving.done():
            assert "prediction" in served.post("/predict/iris", golden("iris"))
            answered += 1
    assert answered > 10
    with pytest.raises(httpx.ReadTimeout):
        leaving.result()
    (left,) = {job["id"] for job in kept_jobs(served)} - before

    def ended() -> bool:
        job = served.client.get(f"/jobs/{left}", headers=KEY).json()
        assert job["error"] is None
        return bool(job["ended"])

    wait_until(ended)


def test_a_version_that_does_not_exist_is_a_failed_job_that_says_so(
    served: Api,
) -> None:
    job = run(served, "/models/housing/load", {"version": 999})
    assert job["status"] == "failed"
    assert "version 999" in job["error"]


def test_a_job_that_does_not_exist_is_404(served: Api) -> None:
    answer = served.client.get("/jobs/nothing", headers=KEY)
    assert problem_of(answer)["status"] == 404


def test_a_run_that_is_no_run_id_is_refused(served: Api) -> None:
    assert served.client.post("/model/load/latest", headers=KEY).status_code == 422


def test_a_job_that_takes_longer_than_the_wait_is_202(served: Api) -> None:
    body = irises() | {"algorithm": "random_forest"}
    asked = served.client.post("/train?wait=0.1", json=body, headers=KEY)
    assert asked.status_code == 202
    assert set(asked.json()) == {
        "id",
        "kind",
        "status",
        "created",
        "started",
        "ended",
        "result",
        "error",
    }
