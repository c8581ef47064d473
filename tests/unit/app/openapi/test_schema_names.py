"""Schemas of tasks have different names, however their authors name the tasks."""

import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.serving.validation import type_name
from tests.support.json_content import Json
from tests.support.serving import edit
from tests.unit.app.conftest import MakeSettings

# Tasks whose schemas could have the names of other schemas.
ODD_TASKS = [
    "a_1",
    "a1",
    "ab",
    "a_b",
    "table",
    "explanation",
    "iris_predict",
    "housing_records",
]
TASKS = ["credit", "housing", "iris", *ODD_TASKS]
# How the names of the tasks' schemas begin.
PREFIXES = (
    "A1",
    "A_1",
    "AB",
    "Ab",
    "Credit",
    "Explanation",
    "Housing",
    "Iris",
    "Table",
)


@pytest.fixture
def document(settings: MakeSettings, folder: Path) -> Json:
    """The document of an API that also serves the odd tasks."""
    for name in ODD_TASKS:
        shutil.copytree(folder / "iris", folder / name)
        edit(folder / name, task=name)
    with TestClient(create_app(settings(), lambda line: None)) as client:
        response: Json = client.get("/openapi.json").json()
    return response


def test_every_task_has_schemas_of_its_own(document: Json) -> None:
    for task in TASKS:
        operation = document["paths"][f"/predict/{task}"]["post"]
        content = operation["requestBody"]["content"]["application/json"]
        name = f"{type_name(task)}PredictRequest"
        assert content["schema"] == {"$ref": f"#/components/schemas/{name}"}


def test_no_schema_of_a_task_can_have_the_name_of_another_schema(
    document: Json,
) -> None:
    names = list(document["components"]["schemas"])
    endings = set()
    shared = set()
    for name in names:
        # FastAPI separates modules by it where two schemas have the same name.
        assert "__" not in name
        if name.startswith("Credit"):
            endings.add(name.removeprefix("Credit"))
        if not name.startswith(PREFIXES):
            shared.add(name)
    for ending in endings:
        for other in (endings | shared) - {ending}:
            assert not other.endswith(ending)
