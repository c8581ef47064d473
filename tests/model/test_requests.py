"""What the models in service answer over HTTP, each to the example in its manifest."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.paths import ROOT
from tests.support.api_client import serving

MODELS = ROOT / "deployment" / "models"
SERVED = sorted(path.parent.name for path in MODELS.glob("*/manifest.json"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(MODELS, tmp_path_factory.mktemp("api")) as made:
        yield made


def golden(task: str) -> dict[str, Any]:
    content = json.loads((MODELS / task / "manifest.json").read_text("utf-8"))
    found: dict[str, Any] = content["golden"]
    return found


def fields(task: str) -> frozenset[str]:
    return frozenset(golden(task)["request"])


@pytest.mark.parametrize("task", SERVED)
def test_the_example_is_answered_as_recorded(client: TestClient, task: str) -> None:
    example = golden(task)
    answer = client.post(f"/predict/{task}", json=example["request"]).json()
    given = (
        [*answer["probabilities"].values()]
        if "confidence" in answer
        else answer["prediction"]
    )
    assert given == pytest.approx(example["answer"], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("task", SERVED)
def test_its_fields_choose_the_task(client: TestClient, task: str) -> None:
    alike = [name for name in SERVED if fields(name) == fields(task)]
    answer = client.post("/predict", json=golden(task)["request"])
    if alike == [task]:
        assert answer.status_code == 200 and answer.json()["task"] == task
    else:
        assert answer.status_code == 422
        assert all(name in answer.json()["detail"] for name in alike)
