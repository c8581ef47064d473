"""The models in service answer the examples in their manifests over HTTP."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.paths import ROOT
from tests.support.api_client import serving
from tests.support.json_content import Json

MODELS = ROOT / "deployment" / "models"
SERVED = sorted(path.parent.name for path in MODELS.glob("*/manifest.json"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("api")
    with serving(MODELS, folder) as running:
        yield running


def golden(task: str) -> Json:
    path = MODELS / task / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    example: Json = manifest["golden"]
    return example


def fields(task: str) -> frozenset[str]:
    return frozenset(golden(task)["request"])


@pytest.mark.parametrize("task", SERVED)
def test_the_example_is_answered_as_recorded(client: TestClient, task: str) -> None:
    example = golden(task)
    response = client.post(f"/predict/{task}", json=example["request"])
    answer = response.json()
    prediction = answer["prediction"]
    if "confidence" in answer:
        prediction = list(answer["probabilities"].values())
    assert prediction == pytest.approx(example["answer"], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("task", SERVED)
def test_its_fields_choose_the_task(client: TestClient, task: str) -> None:
    own_fields = fields(task)
    alike = [name for name in SERVED if fields(name) == own_fields]
    record = golden(task)["request"]
    response = client.post("/predict", json=record)
    answer = response.json()
    if alike == [task]:
        assert response.status_code == 200
        assert answer["task"] == task
    else:
        assert response.status_code == 422
        for name in alike:
            assert name in answer["detail"]
