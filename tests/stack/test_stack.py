"""Predictions, models and jobs of the running containers."""

import json

import pytest
from mlflow import MlflowClient

from tests.stack.engine import Stack, eventually


def test_a_prediction_for_each_task(stack: Stack) -> None:
    for manifest in stack.manifests().values():
        answer = stack.predict(manifest)
        assert answer["model_version"] == manifest["version"]
        golden = manifest["golden"]["answer"]
        if manifest["kind"] == "regression":
            expected = pytest.approx(golden, rel=1e-4)
            assert answer["prediction"] == expected
        else:
            classes = manifest["target"]["classes"]
            probabilities = [answer["probabilities"][name] for name in classes]
            expected = pytest.approx(golden, rel=1e-4, abs=1e-6)
            assert probabilities == expected


def test_a_new_model_is_served_without_a_restart(stack: Stack) -> None:
    path = stack.checkout / "deployment/models/iris/manifest.json"
    content = path.read_bytes()
    manifest = stack.manifest("iris")
    newer = manifest | {"version": 99}
    path.write_text(json.dumps(newer))

    def version() -> int:
        answer = stack.predict(manifest)
        return answer["model_version"]

    try:
        eventually(
            lambda: version() == 99,
            20,
            "the new version is served",
        )
    finally:
        path.write_bytes(content)
    eventually(
        lambda: version() == manifest["version"],
        20,
        "the previous version is served",
    )


def test_the_trainer_explains(stack: Stack) -> None:
    golden = stack.manifest("housing")["golden"]
    answer = stack.ask("API", "/explain/housing", golden["request"])
    expected = pytest.approx(golden["answer"], rel=1e-4)
    assert answer["sum"] == expected


@pytest.mark.slow
def test_a_trained_model_can_be_loaded(stack: Stack, client: MlflowClient) -> None:
    parameters = {
        "task": "iris",
        "algorithm": "logistic_regression",
        "parameters": {},
    }
    job = stack.ask("API", "/train?wait=0", parameters)["id"]
    ended = stack.finished_job(job, 120)
    assert ended["status"] == "succeeded", ended["error"]
    trained = ended["result"]["run_id"]
    assert client.get_run(trained).info.status == "FINISHED"
    champion = stack.manifest("iris")

    def served_run() -> str:
        answer = stack.predict(champion)
        return answer["run_id"]

    stack.ask("API", "/models/iris/load", {"run_id": trained})
    eventually(
        lambda: served_run() == trained,
        60,
        "the trained model is served",
    )
    stack.ask("API", "/models/iris/load", {"version": champion["version"]})
    eventually(
        lambda: served_run() == champion["run_id"],
        60,
        "the champion is served again",
    )


def test_prometheus_scrapes_every_service_that_was_started(stack: Stack) -> None:
    jobs = (
        "mlops-api",
        "proxy",
        "mlflow-server",
        "node-exporter",
        "cadvisor",
        "prometheus",
    )
    expected = {job: ["up"] for job in jobs}
    eventually(lambda: stack.targets() == expected, 60, "the targets are up")
