"""The API with the worker beside it: explanations, and jobs from the request to the
service.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sklearn.datasets import load_iris

from tests.support.api_with_worker import api_with_worker, ended_job, run_job
from tests.support.json_content import Json
from tests.support.problems import problem_of
from tests.support.service import TASKS
from tests.support.serving import AUTHORIZED, Api, golden, served_manifest
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow
every_task = pytest.mark.parametrize("task", TASKS)
JOB_MEMBERS = {
    "id",
    "kind",
    "status",
    "created",
    "started",
    "ended",
    "result",
    "error",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API and a worker over the same checkout and the same state."""
    with api_with_worker(tmp_path_factory.mktemp("served")) as api:
        yield api


def wait_for_version(api: Api, task: str, version: int) -> None:
    def is_served() -> bool:
        versions = api.get("/health")["models"]
        return bool(versions[task] == version)

    wait_until(is_served)


@every_task
def test_an_explanation_adds_up_to_the_prediction(served: Api, task: str) -> None:
    record = golden(task)
    answer = served.post(f"/explain/{task}", record)
    prediction = served.post(f"/predict/{task}", record)
    values = answer["values"]
    assert set(values) == set(record)
    total = answer["base_value"] + sum(values.values())
    assert answer["sum"] == pytest.approx(total)
    assert answer["sum"] == pytest.approx(answer["prediction"], rel=1e-5)
    explained = prediction["prediction"]
    if served_manifest(task)["target"]["classes"]:
        assert answer["output"] == prediction["prediction"]
        explained = prediction["confidence"]
    assert answer["prediction"] == pytest.approx(explained, rel=1e-5)
    for key in ("task", "model_version", "run_id"):
        assert answer[key] == prediction[key]


@every_task
def test_without_a_task_in_the_path_the_fields_decide_what_is_explained(
    served: Api, task: str
) -> None:
    record = golden(task)
    cells = list(record.values())
    for body in (record, [record] * 2, {"features": [cells]}):
        answer = served.post("/explain", body)
        of_the_task = served.post(f"/explain/{task}", body)
        request_id = answer.pop("request_id")
        assert request_id != of_the_task.pop("request_id")
        assert answer == of_the_task
        assert answer["task"] == task


def test_a_list_is_explained_with_a_list_and_a_long_one_refused(served: Api) -> None:
    record = golden("iris")
    single = served.post("/explain/iris", record)
    listed = served.post("/explain/iris", [record] * 2)
    values = [row["values"] for row in listed["explanations"]]
    assert values == [single["values"]] * 2
    problem = served.post("/explain/iris", [record] * 11, 413)
    assert "more than 10 records" in problem["detail"]


def test_an_older_version_is_loaded_and_the_champion_again(served: Api) -> None:
    record = golden("housing")
    champion = served.get("/health")["models"]["housing"]
    job = run_job(served, "/models/housing/load", {"version": 1})
    assert job["status"] == "succeeded"
    assert job["result"]["version"] == 1
    wait_for_version(served, "housing", 1)
    for path in ("/predict", "/explain/housing"):
        assert served.post(path, record)["model_version"] == 1
    run_id = served_manifest("housing")["run_id"]
    job = run_job(served, f"/model/load/{run_id}")
    assert job["status"] == "succeeded"
    wait_for_version(served, "housing", champion)


def response_of_ended_job(api: Api, path: str, body: Any = None) -> httpx.Response:
    """Submit a job until it ends while the request waits, and return the response.

    Other tests may keep the machine busy, and a request waits for half a minute only.
    """

    def submit() -> httpx.Response:
        return api.client.post(
            path,
            json=body,
            headers=AUTHORIZED,
            timeout=PATIENCE_SECONDS,
        )

    response = submit()
    while response.status_code == 202:
        # The next job would wait for this one.
        ended_job(api, response.json()["id"])
        response = submit()
    return response


def answer_of_job(api: Api, path: str, body: Any = None) -> Json:
    """Submit a job, wait for its end in the same request, and return the answer."""
    response = response_of_ended_job(api, path, body)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    assert answer["status"] == "succeeded"
    assert answer["error"] is None
    return answer


def training(**hyperparameters: int) -> Json:
    """Return a request to train a forest on irises that are sent along."""
    iris = load_iris()
    return {
        "data": iris.data.tolist(),
        "target": iris.target.tolist(),
        "algorithm": "random_forest",
        "hyperparameters": hyperparameters,
    }


@pytest.mark.nightly
def test_a_training_as_documents_show_it_is_answered_with_the_run_which_can_be_loaded(
    served: Api,
) -> None:
    trained = answer_of_job(served, "/train", training(n_estimators=20))
    assert trained["metrics"]["accuracy"] > 0.8
    assert trained["result"]["task"] == "iris"
    assert trained["result"]["algorithm"] == "random_forest"
    run_id = trained["run_id"]
    loaded = answer_of_job(served, f"/model/load/{run_id}")
    assert loaded["run_id"] == run_id
    assert loaded["metrics"] == pytest.approx(trained["metrics"], rel=1e-3)
    wait_until(lambda: served.get("/models/iris")["run_id"] == run_id)
    answer = served.post("/predict/iris", golden("iris"))
    assert answer["run_id"] == run_id


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (
            "/models/housing/load",
            {"version": 999},
            "housing has no version 999; the versions are",
        ),
        (
            "/train",
            {
                "task": "iris",
                "algorithm": "random_forest",
                "hyperparameters": {"trees": 3},
            },
            "'trees' is not a known parameter of random_forest",
        ),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_in_the_answer(
    served: Api, path: str, body: Any, expected: str
) -> None:
    answer = response_of_ended_job(served, path, body)
    assert answer.status_code == 422, answer.text
    assert expected in answer.json()["detail"]


def kept_jobs(api: Api) -> set[str]:
    """Return the IDs of the jobs in the folder of the state."""
    folder = Path(api.environment["API_STATE"]) / "jobs"
    return {path.stem for path in folder.glob("*.json")}


def test_others_are_answered_while_a_client_waits_and_its_leaving_stops_no_job(
    served: Api,
) -> None:
    body = training(n_estimators=33)
    before = kept_jobs(served)
    answered = 0
    other = httpx.Client(base_url=served.client.base_url, headers=AUTHORIZED)
    with other, ThreadPoolExecutor() as pool:
        leaving = pool.submit(other.post, "/train", json=body, timeout=1)
        while not leaving.done():
            answer = served.post("/predict/iris", golden("iris"))
            assert "prediction" in answer
            answered += 1
    assert answered > 10
    with pytest.raises(httpx.ReadTimeout):
        leaving.result()
    (job_id,) = kept_jobs(served) - before
    assert ended_job(served, job_id)["error"] is None


def test_a_version_that_does_not_exist_is_a_failed_job_that_says_so(
    served: Api,
) -> None:
    job = run_job(served, "/models/housing/load", {"version": 999})
    assert job["status"] == "failed"
    assert "version 999" in job["error"]


def test_a_job_that_does_not_exist_is_404(served: Api) -> None:
    answer = served.client.get("/jobs/nothing", headers=AUTHORIZED)
    assert problem_of(answer)["status"] == 404


def test_a_run_with_another_form_of_id_is_refused(served: Api) -> None:
    answer = served.client.post("/model/load/latest", headers=AUTHORIZED)
    assert answer.status_code == 422


def test_a_job_that_takes_longer_than_the_wait_is_202(served: Api) -> None:
    path = "/train?wait=0.1"
    answer = served.client.post(path, json=training(), headers=AUTHORIZED)
    assert answer.status_code == 202
    assert set(answer.json()) == JOB_MEMBERS
