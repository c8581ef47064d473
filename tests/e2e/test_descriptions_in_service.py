"""Health, models, metrics and the documentation of a real server."""

import re

import pytest

from tests.support.json_content import Json
from tests.support.service import MODELS, TASKS
from tests.support.serving import HOUSE, Api, served_manifest

pytestmark = pytest.mark.slow


def test_the_first_page_leads_to_paths_that_answer(api: Api) -> None:
    page = api.get("/")
    paths = {task: f"/predict/{task}" for task in TASKS}
    assert page["predict"] == paths | {"default": "/predict"}
    assert page["explain"]["default"] == "/explain"
    for path in page["look"]:
        answer = api.client.get(path)
        assert answer.status_code == 200, path


def test_health(api: Api) -> None:
    versions = {task: served_manifest(task)["version"] for task in TASKS}
    healthy = {
        "status": "ok",
        "problems": [],
        "models": versions,
    }
    assert api.get("/health") == healthy
    assert api.get("/health/ready") == healthy
    assert api.get("/health/live") == {"status": "ok"}


@pytest.mark.parametrize("path", ["/models", "/models/info"])
def test_the_models_are_listed(api: Api, path: str) -> None:
    models = api.get(path)
    assert sorted(models) == TASKS
    for task, summary in models.items():
        model = served_manifest(task)
        expected = {
            "version": model["version"],
            "run_id": model["run_id"],
            "sha256": model["sha256"],
            "metrics": model["holdout"]["metrics"],
            "problem": None,
        }
        assert summary.items() >= expected.items()


def test_the_short_description_is_of_the_default_task_and_beside_it_are_all_models(
    api: Api,
) -> None:
    answer = api.get("/model/info")
    models = api.get("/models")
    model = served_manifest("housing")
    values = {}
    for name, metric in model["holdout"]["metrics"].items():
        values[name] = metric["value"]
    assert answer == models | {
        "name": "housing",
        "version": model["version"],
        "run_id": model["run_id"],
        "metrics": values,
        "loaded_at": models["housing"]["loaded"],
    }


def names(features: list[Json]) -> list[str]:
    return [feature["name"] for feature in features]


@pytest.mark.parametrize("task", TASKS)
def test_a_model_is_described_with_its_features_and_its_card(
    api: Api, task: str
) -> None:
    detail = api.get(f"/models/{task}")
    model = served_manifest(task)
    card = MODELS / task / "MODEL_CARD.md"
    expected = {
        "card": card.read_text("utf-8"),
        "limits": model["limits"],
    }
    assert detail.items() >= expected.items()
    assert names(detail["features"]) == names(model["features"])
    assert detail["target"]["name"] == model["target"]["name"]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/prometheus"])
def test_the_metrics_count_predictions_and_requests(api: Api, path: str) -> None:
    def predictions() -> float:
        return api.metric("predictions_total", task="housing")

    def requests() -> float:
        return api.metric("http_requests_total", route="/predict", status="200")

    predictions_before = predictions()
    requests_before = requests()
    api.post("/predict", [HOUSE] * 3)
    api.post("/predict", HOUSE)
    assert predictions() == predictions_before + 4
    assert requests() == requests_before + 2
    answer = api.client.get(path)
    content_type = answer.headers["content-type"]
    assert content_type.startswith("text/plain; version=0.0.4")
    assert "process_resident_memory_bytes" in answer.text


def test_the_metrics_are_summed_up_for_people(api: Api) -> None:
    api.post("/predict", HOUSE)
    summary = api.get("/metrics/summary")
    route = summary["routes"]["/predict"]
    assert route["requests"] >= 1
    assert route["p95_ms"] > 0
    assert summary["predictions"]["housing"]["value"] >= 1


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_needs_no_internet(api: Api, path: str) -> None:
    page = api.client.get(path).text
    assets = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    addresses = re.findall(r"https?://[^\s\"'<]+", page)
    assert addresses == []
    assert any(asset.endswith(".js") for asset in assets)
    for asset in assets:
        answer = api.client.get(asset)
        assert answer.status_code == 200, asset
        assert answer.content


def described_body(document: Json, path: str) -> Json:
    """Return how the OpenAPI document describes the JSON that a path takes."""
    operation = document["paths"][path]["post"]
    content = operation["requestBody"]["content"]
    body: Json = content["application/json"]
    return body


def test_the_openapi_document_is_valid_and_its_examples_are_answered(api: Api) -> None:
    import schemathesis  # takes a second, also where this test is not run

    document = api.get("/openapi.json")
    schemathesis.openapi.from_dict(document).validate()
    for path in ("/predict", "/explain"):
        examples = described_body(document, path)["examples"]
        assert list(examples) == TASKS
    examples = described_body(document, "/predict")["examples"]
    for task in TASKS:
        path = f"/predict/{task}"
        api.post(path, described_body(document, path)["example"])
        answer = api.post("/predict", examples[task]["value"])
        assert answer["task"] == task
