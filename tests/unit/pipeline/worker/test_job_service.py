"""Jobs over HTTP: what is refused, and real jobs of each kind."""

from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from core.files import sha256_file
from history import registry
from history.registry import Promotion
from pipeline import bundle as bundles
from pipeline import tasks
from tests.support import factories
from tests.unit.pipeline.worker.service import Service, read_manifest

pytestmark = pytest.mark.slow


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
    assert status == 422
    assert isinstance(answer["detail"], str)


def test_an_unknown_job_is_not_found(service: Service) -> None:
    message = "there is no job 'abc'."
    assert service.call("/jobs/abc") == (404, {"detail": message})


def versions(service: Service) -> list[Promotion]:
    """Return the versions of iris, oldest first."""
    return registry.versions(service.repo.mlruns, "iris")


def loaded_iris(service: Service) -> Path:
    """Return the folder of the loaded model."""
    return service.state / "loaded" / "iris"


def require_explained(service: Service, loaded: Path) -> None:
    """Check that a loaded model is explained."""
    manifest = read_manifest(loaded)
    record = manifest["golden"]["request"]
    body = {"sha256": manifest["sha256"], "records": [record]}
    assert service.status("/explain/iris", body) == 200


def test_an_older_version_is_loaded_and_explained(service: Service) -> None:
    first = versions(service)[0]
    result = service.run(kind="load", task="iris", version=1)
    assert result["version"] == 1
    assert result["run_id"] == first.run_id

    loaded = loaded_iris(service)
    manifest = read_manifest(loaded)
    assert manifest["sha256"] == first.sha256
    assert sha256_file(loaded / "model.onnx") == first.sha256

    served = service.repo.models / "iris"
    keys = set(read_manifest(served))
    assert set(manifest) == keys | {"model_id", "loaded_over"}
    digest = sha256_file(served / "manifest.json")
    assert manifest["loaded_over"] == digest
    require_explained(service, loaded)


def test_a_run_is_loaded_without_a_task(service: Service) -> None:
    champion = versions(service)[-1]
    result = service.run(kind="load", run_id=champion.run_id)
    assert result["task"] == "iris"
    assert result["sha256"] == champion.sha256
    manifest = read_manifest(loaded_iris(service))
    assert manifest["version"] == champion.version


def test_a_model_that_does_not_exist_is_answered_with_the_choice(
    service: Service,
) -> None:
    error = service.failure(kind="load", task="iris", version=99)
    assert error.startswith("iris has no version 99; the versions are: iris 1, iris 2")


def test_a_model_trained_on_sixty_rows_is_kept_logged_and_loaded(
    service: Service,
) -> None:
    table = factories.rows(tasks.load("iris"), 60, seed=1)
    rows = table.to_dict("records")
    result = service.run(
        kind="train",
        task="iris",
        algorithm="logistic_regression",
        parameters={"C": 0.5},
        data=rows,
    )
    assert result["metrics"]["accuracy"] > 0.4
    assert result["parity"]["mismatches"] == 0
    run_id = result["run_id"]
    require_kept(service, run_id)

    run = logged_run(service, run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["C"] == "0.5"

    answer = service.run(kind="load", run_id=run_id)
    assert answer["version"] == 0
    # No row of the request is left.
    assert not (service.state / "work").exists()
    require_explained(service, loaded_iris(service))


def require_kept(service: Service, run_id: str) -> None:
    """Check the files of a model that was trained on rows of a request."""
    folder = service.state / "trained" / run_id
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.onnx", "manifest.json"}
    manifest = read_manifest(folder)
    served = read_manifest(service.repo.models / "iris")
    missing = served.keys() - manifest.keys()
    assert missing <= {"training_seconds"}
    assert manifest["version"] == 0
    assert manifest["parameters"] == {"C": 0.5}
    data = manifest["data"]
    assert data["rows"] == 60
    assert data["source"] == "data of the request"


def logged_run(service: Service, run_id: str) -> Run:
    """Return a run from the tracking store of the worker's trainings."""
    folder = service.repo.build / "tracking"
    (database,) = folder.glob("*/mlflow.db")
    client = MlflowClient(f"sqlite:///{database}")
    return client.get_run(run_id)


def test_without_github_a_retrain_trains_on_this_machine(service: Service) -> None:
    result = service.run(kind="retrain", tasks=["iris"], reason="drift")
    folder = service.repo.build / "bundle"
    bundle = bundles.read(folder)
    challenger = bundle.tasks["iris"].challenger
    assert challenger
    summary = challenger.model_dump(include={"run_id", "algorithm", "holdout"})
    assert result == {
        "challengers": {"iris": summary},
        "next": "python -m pipeline publish",
        "run_id": challenger.run_id,
        "metrics": challenger.holdout,
    }
