"""The trainer over HTTP, as the API meets it: explanations, and jobs that really are
done.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlflow import MlflowClient

from core.files import sha256_file
from history import registry
from pipeline import bundle as bundles
from pipeline import tasks
from tests.support import factories
from tests.support.waiting import PATIENCE_SECONDS
from tests.unit.pipeline.worker.service import Service, checkout, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    repo = checkout(tmp_path_factory.mktemp("trainer") / "checkout")
    with running(repo, HOME=str(home)) as started:
        yield started
    # Explanations and trainings write where they are asked to, and nothing is sent to
    # anybody.
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_it_passes_over_an_offer_of_http_2_and_answers_head(service: Service) -> None:
    served = manifest(service.repo.models / "iris")
    body = {"sha256": served["sha256"], "records": [served["golden"]["request"]]}
    offer = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMA",
    }
    with httpx.Client(
        base_url=f"http://127.0.0.1:{service.port}", timeout=PATIENCE_SECONDS
    ) as client:
        answer = client.post("/explain/iris", json=body, headers=offer)
        assert answer.status_code == 200, answer.text
        head = client.head("/health")
        assert (head.status_code, head.content) == (200, b"")
        assert (
            head.headers["content-length"]
            == client.get("/health").headers["content-length"]
        )
        assert client.head("/jobs/none").status_code == 404


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return found


def test_it_answers_while_it_explains(service: Service) -> None:
    served = manifest(service.repo.models / "credit")
    body = {"sha256": served["sha256"], "records": [served["golden"]["request"]] * 5}
    answers: list[tuple[int, Any]] = []
    ask = threading.Thread(
        target=lambda: answers.append(service.call("/explain/credit", body))
    )
    ask.start()
    slowest, asked = 0.0, 0
    while ask.is_alive():
        began = time.monotonic()
        assert service.call("/health")[0] == 200
        slowest, asked = max(slowest, time.monotonic() - began), asked + 1
        time.sleep(0.1)
    assert asked > 5 and slowest < 2
    status, answer = answers[0]
    assert status == 200 and answer["sha256"] == served["sha256"]
    assert len(answer["explanations"]) == 5
    for one in answer["explanations"]:
        assert set(one) == {"output", "base_value", "values", "sum", "prediction"}
        assert one["sum"] == pytest.approx(one["prediction"], rel=1e-6)


def test_what_cannot_be_explained_is_one_sentence(service: Service) -> None:
    digest = manifest(service.repo.models / "iris")["sha256"]
    assert service.call("/explain/wine", {"sha256": digest, "records": [{}]}) == (
        404,
        {"detail": "there is no task 'wine': choose from credit, housing, iris."},
    )
    assert (
        service.call("/explain/%2e%2e", {"sha256": digest, "records": [{}]})[0] == 404
    )
    status, answer = service.call(
        "/explain/iris", {"sha256": "0" * 64, "records": [{}]}
    )
    assert status == 409 and "iris is not in service" in answer["detail"]
    for records in ([], [{}] * 101, [{"petal_length": 1}], "all", None):
        status, answer = service.call(
            "/explain/iris", {"sha256": digest, "records": records}
        )
        assert status == 422 and isinstance(answer["detail"], str)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "sleep"},
        {"kind": "load", "task": "../iris", "version": 1},
        {"kind": "load", "task": "iris", "version": "first"},
        {"kind": "load", "run_id": "../../x"},
        {"kind": "train", "task": "iris", "data": []},
        {"kind": "train", "task": "iris", "data": [1]},
        {"kind": "retrain", "tasks": "iris"},
        {"kind": "retrain", "colour": "red"},
        [],
    ],
)
def test_a_malformed_job_is_refused(service: Service, body: object) -> None:
    status, answer = service.call("/jobs", body)
    assert status == 422 and isinstance(answer["detail"], str)


def test_an_unknown_job_is_not_there(service: Service) -> None:
    assert service.call("/jobs/abc") == (404, {"detail": "there is no job 'abc'."})


def test_an_older_version_is_loaded_and_explained(service: Service) -> None:
    first, *_, champion = registry.versions(service.repo.mlruns, "iris")
    result = service.run(kind="load", task="iris", version=1)
    assert (result["version"], result["run_id"]) == (1, first.run_id)
    loaded, served = service.state / "loaded" / "iris", service.repo.models / "iris"
    assert (
        sha256_file(loaded / "model.onnx") == first.sha256 == manifest(loaded)["sha256"]
    )
    assert manifest(loaded)["loaded_over"] == sha256_file(served / "manifest.json")
    assert set(manifest(loaded)) == {*manifest(served), "model_id", "loaded_over"}
    body = {"sha256": first.sha256, "records": [manifest(loaded)["golden"]["request"]]}
    assert service.call("/explain/iris", body)[0] == 200
    # A run needs no task.
    result = service.run(kind="load", run_id=champion.run_id)
    assert (result["task"], result["sha256"]) == ("iris", champion.sha256)
    assert manifest(loaded)["version"] == champion.version


def test_what_cannot_be_loaded_says_what_there_is(service: Service) -> None:
    error = service.failure(kind="load", task="iris", version=99)
    assert error.startswith("iris has no version 99; the versions are: iris 1, iris 2")
    assert "housing has no run" in service.failure(
        kind="load", task="housing", run_id="f" * 32
    )
    assert "has no version 1" in service.failure(kind="load", version=1)
    assert "has no version None" in service.failure(kind="load", task="iris")
    run_id = registry.versions(service.repo.mlruns, "iris")[0].run_id
    assert "credit has no run" in service.failure(
        kind="load", task="credit", run_id=run_id
    )


def test_a_model_trained_on_sixty_rows_is_kept_logged_and_loaded(
    service: Service,
) -> None:
    rows = factories.rows(tasks.load("iris"), 60, seed=1).to_dict("records")
    result = service.run(
        kind="train",
        task="iris",
        algorithm="logistic_regression",
        parameters={"C": 0.5},
        data=rows,
    )
    assert result["metrics"]["accuracy"] > 0.4 and result["parity"]["mismatches"] == 0
    made = service.state / "trained" / result["run_id"]
    assert {path.name for path in made.iterdir()} == {"model.onnx", "manifest.json"}
    published = manifest(service.repo.models / "iris").keys() - {"training_seconds"}
    assert manifest(made).keys() >= published
    assert manifest(made)["version"] == 0 and manifest(made)["parameters"] == {"C": 0.5}
    assert manifest(made)["data"]["rows"] == 60
    assert manifest(made)["data"]["source"] == "data of the request"
    (database,) = (service.repo.build / "tracking").glob("*/mlflow.db")
    run = MlflowClient(f"sqlite:///{database}").get_run(result["run_id"])
    assert run.info.status == "FINISHED" and run.data.params["C"] == "0.5"
    assert service.run(kind="load", run_id=result["run_id"])["version"] == 0
    assert not (service.state / "work").exists()  # nothing of the rows is left
    loaded = manifest(service.state / "loaded" / "iris")
    body = {"sha256": loaded["sha256"], "records": [loaded["golden"]["request"]]}
    assert service.call("/explain/iris", body)[0] == 200


def test_without_github_the_pipeline_runs_here(service: Service) -> None:
    result = service.run(kind="retrain", tasks=["iris"], reason="drift")
    bundle = bundles.read(service.repo.build / "bundle")
    challenger = bundle.tasks["iris"].challenger
    assert challenger
    about = challenger.model_dump(include={"run_id", "algorithm", "holdout"})
    assert result == {
        "challengers": {"iris": about},
        "next": "python -m pipeline publish",
        "run_id": challenger.run_id,
        "metrics": challenger.holdout,
    }
