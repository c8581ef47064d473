"""`?interval=90`: predictions with intervals, and models that have none."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from core.intervals import LEVELS
from core.manifest import Manifest
from tests.support.problems import problem_of
from tests.support.service import MODELS
from tests.support.serving import golden
from tests.unit.app.conftest import MakeSettings

HOUSE = golden("housing")
OWN_PATH = "/predict/housing"


@pytest.fixture
def with_older_model(settings: MakeSettings, folder: Path) -> Iterator[TestClient]:
    """The API with a model from before there were intervals."""
    path = folder / "housing" / "manifest.json"
    content = json.loads(path.read_bytes())
    del content["intervals"]
    path.write_text(json.dumps(content), encoding="utf-8")
    shutil.rmtree(folder / "credit")
    with TestClient(create_app(settings(), lambda line: None)) as client:
        yield client


def refusal(client: TestClient, path: str, body: Any) -> str:
    """Return the sentence of a refusal, whose fault is the parameter."""
    problem = problem_of(client.post(path, json=body))
    assert problem["status"] == 422
    (fault,) = problem["errors"]
    assert fault["parameter"] == "interval"
    sentence: str = fault["detail"]
    assert problem["detail"] == f"interval: {sentence}"
    return sentence


def test_without_the_parameter_there_is_no_interval(shared_client: TestClient) -> None:
    for path in (OWN_PATH, "/predict", OWN_PATH + "?other=90"):
        assert "interval" not in shared_client.post(path, json=HOUSE).json()


@pytest.mark.parametrize("path", [OWN_PATH, "/predict"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_prediction_has_the_interval_of_the_manifest(
    shared_client: TestClient, path: str, level: int
) -> None:
    response = shared_client.post(f"{path}?interval={level}", json=HOUSE)
    answer = response.json()
    manifest = Manifest.read(MODELS / "housing" / "manifest.json")
    assert manifest.intervals
    (measured,) = [each for each in manifest.intervals.levels if each.level == level]
    prediction = answer["prediction"]
    low = max(prediction + measured.low[0], 0)
    high = min(prediction + measured.high[0], 6)
    assert answer["interval"] == {
        "level": level,
        "low": pytest.approx(low, rel=1e-5),
        "high": pytest.approx(high, rel=1e-5),
    }


def test_each_of_several_predictions_has_its_own_interval(
    shared_client: TestClient,
) -> None:
    richer = HOUSE | {"MedInc": HOUSE["MedInc"] * 3}
    response = shared_client.post(f"{OWN_PATH}?interval=80", json=[HOUSE, richer])
    answer = response.json()
    alone = shared_client.post(OWN_PATH + "?interval=80", json=richer).json()
    first, second = answer["predictions"]
    assert first["interval"] != second["interval"]
    assert second["interval"] == alone["interval"]


def test_the_log_of_predictions_is_the_same_with_and_without(
    client: TestClient,
) -> None:
    client.post(OWN_PATH + "?interval=90", json=HOUSE)
    services = client.app.app.app.state.services  # type: ignore[attr-defined]
    services.predictions.close()
    (row,) = services.predictions.latest(10, "housing")
    assert set(row.prediction) == {"prediction"}


@pytest.mark.parametrize(
    "query", ["interval=91", "interval=0.9", "interval=", "interval=50&interval=90"]
)
def test_another_level_is_refused_with_those_that_there_are(
    shared_client: TestClient, query: str
) -> None:
    sentence = refusal(shared_client, f"{OWN_PATH}?{query}", HOUSE)
    assert sentence == (
        "housing has intervals of 50, 80, 90, 95, 99 percent: name one of these"
        " numbers."
    )


@pytest.mark.parametrize("path", ["/predict/iris", "/predict"])
def test_a_classification_says_that_it_has_probabilities(
    shared_client: TestClient, path: str
) -> None:
    sentence = refusal(shared_client, path + "?interval=90", golden("iris"))
    assert sentence.startswith("iris predicts a class")
    assert "probability of each class" in sentence


def test_an_older_model_serves_and_says_that_it_has_no_intervals(
    with_older_model: TestClient,
) -> None:
    assert with_older_model.post(OWN_PATH, json=HOUSE).status_code == 200
    sentence = refusal(with_older_model, OWN_PATH + "?interval=90", HOUSE)
    assert sentence.startswith("version 2 of housing has no prediction intervals")
    assert "train and publish" in sentence


def test_the_document_offers_the_levels_to_regressions_alone(
    shared_client: TestClient,
) -> None:
    document = shared_client.get("/openapi.json").json()
    offered = {}
    for path, verbs in document["paths"].items():
        for parameter in verbs.get("post", {}).get("parameters", ()):
            if parameter["name"] == "interval":
                offered[path] = parameter["schema"]["enum"]
    assert offered == {"/predict": list(LEVELS), OWN_PATH: list(LEVELS)}
    schemas = document["components"]["schemas"]
    assert "interval" not in schemas["IrisPrediction"]["properties"]
    for name in ("HousingPrediction", "HousingPredictionRow"):
        assert "interval" in schemas[name]["properties"]
        assert "interval" not in schemas[name]["required"]
