"""`/openapi.json` as a contract: what generators of clients in any language need of it.

`nox -s clients` makes clients and lints the document with the usual tools; what is
tested here needs none of them.
"""

import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.serving.validation import type_name
from app.settings import Settings
from tests.support.serving import ROOT, edit

Node = dict[str, Any]
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
# Names of tasks whose schemas could have the names of other schemas.
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


@pytest.fixture(scope="module")
def document(shared_client: TestClient) -> Node:
    found: Node = shared_client.get("/openapi.json").json()
    return found


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


def nodes(value: Any, place: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every object of a document with the place where it is."""
    if isinstance(value, dict):
        yield place, value
        for key, inner in value.items():
            if key not in ("example", "examples", "default"):
                yield from nodes(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from nodes(inner, f"{place}/{index}")


def test_every_operation_says_whether_it_needs_the_key(document: Node) -> None:
    assert list(document["components"]["securitySchemes"]) == ["AdminKey"]
    for name, operation in operations(document):
        needs_key = "401" in operation["responses"]
        assert operation["security"] == ([{"AdminKey": []}] if needs_key else []), name
        assert needs_key == (operation["tags"] == ["admin"]), name


def test_operation_ids_read_as_names_of_methods(document: Node) -> None:
    found = [
        (name, operation["operationId"]) for name, operation in operations(document)
    ]
    for name, operation_id in found:
        assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", operation_id), name
        # What FastAPI makes up ends with the method.
        assert not operation_id.endswith(
            ("_get", "_post", "_put", "_patch", "_delete")
        ), name
    assert len({operation_id for _, operation_id in found}) == len(found)


def test_every_tag_is_described_and_used(document: Node) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {
        tag for _, operation in operations(document) for tag in operation["tags"]
    } == described


def test_the_document_names_its_server_its_licence_and_who_to_ask(
    document: Node,
) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        licence = tomllib.load(file)["project"]["license"]
    assert document["info"]["license"] == {"name": licence, "identifier": licence}
    assert document["info"]["contact"]
    assert document["servers"] == [{"url": "/"}]


def test_every_operation_can_be_refused_and_says_so_in_a_form_with_a_name(
    document: Node,
) -> None:
    for name, operation in operations(document):
        form = "InferenceError" if " /v2" in name else "Problem"
        refused = {s: a for s, a in operation["responses"].items() if s >= "4"}
        assert any(status.startswith("4") for status in refused), name
        for status, answer in refused.items():
            [(media_type, content)] = answer["content"].items()
            if status == "503" and is_health(content):
                continue
            assert content["schema"] == {"$ref": f"#/components/schemas/{form}"}, name
            is_problem = media_type == "application/problem+json"
            assert is_problem == (form == "Problem"), name


def is_health(content: Node) -> bool:
    """Tell whether a response says how ready the server is, which is no error."""
    return "Health" in str(content) or "Ready" in str(content)


def test_a_fault_in_a_request_names_its_place_if_it_has_one(document: Node) -> None:
    fault = document["components"]["schemas"]["Fault"]
    assert fault["required"] == ["detail"]
    assert "null" not in str(fault)
    assert "default" not in str(fault)


def test_no_parameter_may_be_null(document: Node) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "null" not in str(parameter["schema"]), (name, parameter["name"])


def test_every_array_says_what_its_items_are(document: Node) -> None:
    for place, node in nodes(document):
        if node.get("type") == "array" or "prefixItems" in node:
            assert isinstance(node.get("items"), dict), place


def test_every_number_says_how_large_it_is(document: Node) -> None:
    formats = {"integer": "int64", "number": "double"}
    for place, node in nodes(document):
        if isinstance(node.get("type"), str) and node["type"] in formats:
            assert node["format"] == formats[node["type"]], place


def test_every_choice_has_a_name_and_so_has_each_list_in_it(document: Node) -> None:
    for place, node in nodes(document):
        choices = [
            c for key in ("anyOf", "oneOf") for c in node.get(key, ()) if not is_null(c)
        ]
        if len(choices) < 2:  # a type that may also be null is no choice
            continue
        assert re.fullmatch("/components/schemas/[A-Za-z0-9]+", place), place
        assert not any(
            choice.get("type") in ("array", "object") for choice in choices
        ), place


def is_null(schema: Node) -> bool:
    return bool(schema == {"type": "null"})


@pytest.mark.parametrize("task", ["credit", "housing", "iris"])
def test_a_prediction_says_in_its_type_which_task_it_is_of(
    document: Node, task: str
) -> None:
    alternatives = document["components"]["schemas"]["PredictAnswer"]["anyOf"]
    for ending in ("Prediction", "Predictions"):
        name = type_name(task) + ending
        assert {"$ref": f"#/components/schemas/{name}"} in alternatives
        schema = document["components"]["schemas"][name]
        assert schema["properties"]["task"]["const"] == task
        assert "task" in schema["required"]


def test_bodies_and_answers_have_names(document: Node) -> None:
    for name, operation in operations(document):
        contents = [operation.get("requestBody", {}).get("content", {})]
        contents += [
            answer.get("content", {}) for answer in operation["responses"].values()
        ]
        for content in contents:
            schema = content.get("application/json", {}).get("schema", {})
            assert "properties" not in schema and "anyOf" not in schema, name
    for name in document["components"]["schemas"]:
        assert re.fullmatch("[A-Z][A-Za-z0-9]*", name), name


def test_no_schema_has_a_name_that_oapi_codegen_gives_to_types_of_its_own(
    document: Node,
) -> None:
    for name, operation in operations(document):
        method = "".join(
            word.capitalize() for word in operation["operationId"].split("_")
        )
        for ending in ("Response", "Params", "JSONBody", "JSONRequestBody"):
            assert method + ending not in document["components"]["schemas"], name


def test_schemas_of_tasks_never_share_a_name(
    settings: Callable[..., Settings], folder: Path
) -> None:
    """A task is what its author calls it: also what another one's schemas are called."""
    for name in ODD_TASKS:
        shutil.copytree(folder / "iris", folder / name)
        edit(folder / name, task=name)
    with TestClient(create_app(settings(), lambda line: None)) as client:
        document = client.get("/openapi.json").json()
    tasks = ["credit", "housing", "iris", *ODD_TASKS]
    for task in tasks:
        content = document["paths"][f"/predict/{task}"]["post"]["requestBody"][
            "content"
        ]
        reference = f"#/components/schemas/{type_name(task)}PredictRequest"
        assert content["application/json"]["schema"] == {"$ref": reference}
    assert not [name for name in document["components"]["schemas"] if "__" in name]
    schemas = list(document["components"]["schemas"])
    endings = {
        name.removeprefix("Credit") for name in schemas if name.startswith("Credit")
    }
    shared = [name for name in schemas if not name.startswith(PREFIXES)]
    for ending in endings:
        others = (endings | set(shared)) - {ending}
        assert not [name for name in others if name.endswith(ending)]
