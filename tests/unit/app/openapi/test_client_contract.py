"""`/openapi.json` as a contract: what generators of clients in any language need of it.

`nox -s clients` generates clients and lints the document with the usual tools; the
tests here need none of them.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.serving.validation import type_name
from tests.support.serving import ROOT

Node = dict[str, Any]
# The endings of the operation IDs that FastAPI generates.
METHODS = ("_get", "_post", "_put", "_patch", "_delete")
NULL = {"type": "null"}
FORMATS = {
    "integer": "int64",
    "number": "double",
}


@pytest.fixture(scope="module")
def document(shared_client: TestClient) -> Node:
    response: Node = shared_client.get("/openapi.json").json()
    return response


@pytest.fixture(scope="module")
def schemas(document: Node) -> Node:
    components: Node = document["components"]
    schemas: Node = components["schemas"]
    return schemas


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    """Yield the method and the path of each operation, and what describes it."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


def reference(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


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
    schemes = document["components"]["securitySchemes"]
    assert list(schemes) == ["AdminKey"]
    for name, operation in operations(document):
        needs_key = "401" in operation["responses"]
        security = [{"AdminKey": []}] if needs_key else []
        is_admin = operation["tags"] == ["admin"]
        assert operation["security"] == security, name
        assert needs_key == is_admin, name


def test_operation_ids_read_as_names_of_methods(document: Node) -> None:
    ids = set()
    for name, operation in operations(document):
        operation_id = operation["operationId"]
        assert re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", operation_id), name
        assert not operation_id.endswith(METHODS), name
        assert operation_id not in ids, name
        ids.add(operation_id)


def test_every_tag_is_described_and_used(document: Node) -> None:
    described = set()
    for tag in document["tags"]:
        assert tag["description"]
        described.add(tag["name"])
    used = set()
    for _, operation in operations(document):
        used |= set(operation["tags"])
    assert used == described


def test_the_document_names_its_server_its_licence_and_a_contact(
    document: Node,
) -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    licence = tomllib.loads(text)["project"]["license"]
    info = document["info"]
    assert info["license"] == {"name": licence, "identifier": licence}
    assert info["contact"]
    assert document["servers"] == [{"url": "/"}]


def test_every_operation_can_be_refused(document: Node) -> None:
    for name, operation in operations(document):
        statuses = operation["responses"]
        assert any(status.startswith("4") for status in statuses), name


def test_every_refusal_has_a_form_with_a_name(document: Node) -> None:
    for name, operation in operations(document):
        is_v2 = " /v2" in name
        form = "InferenceError" if is_v2 else "Problem"
        media_type = "application/json" if is_v2 else "application/problem+json"
        for status, response in operation["responses"].items():
            if status < "400" or is_health(response):
                continue
            expected = {media_type: {"schema": reference(form)}}
            assert response["content"] == expected, name


def is_health(response: Node) -> bool:
    """Return whether a response describes the server's health, which is not an error."""
    content = str(response["content"])
    return "Health" in content or "Ready" in content


def test_a_fault_in_a_request_may_have_no_place(schemas: Node) -> None:
    fault = schemas["Fault"]
    assert fault["required"] == ["detail"]
    assert "null" not in str(fault)
    assert "default" not in str(fault)


def test_no_parameter_may_be_null(document: Node) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            schema = str(parameter["schema"])
            assert "null" not in schema, (name, parameter["name"])


def test_every_array_says_what_its_items_are(document: Node) -> None:
    for place, node in nodes(document):
        if node.get("type") == "array" or "prefixItems" in node:
            assert isinstance(node.get("items"), dict), place


def test_every_number_says_how_large_it_is(document: Node) -> None:
    for place, node in nodes(document):
        kind = node.get("type")
        if isinstance(kind, str) and kind in FORMATS:
            assert node["format"] == FORMATS[kind], place


def test_every_choice_has_a_name_and_so_has_each_list_in_it(document: Node) -> None:
    for place, node in nodes(document):
        choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
        # A type that may also be null is not a choice.
        types = [choice for choice in choices if choice != NULL]
        if len(types) < 2:
            continue
        assert re.fullmatch("/components/schemas/[A-Za-z0-9]+", place), place
        for choice in types:
            kind = choice.get("type")
            assert kind not in ("array", "object"), place


@pytest.mark.parametrize("task", ["credit", "housing", "iris"])
@pytest.mark.parametrize("ending", ["Prediction", "Predictions"])
def test_the_type_of_a_prediction_has_the_task_as_a_constant(
    schemas: Node, task: str, ending: str
) -> None:
    name = type_name(task) + ending
    assert reference(name) in schemas["PredictAnswer"]["anyOf"]
    schema = schemas[name]
    assert schema["properties"]["task"]["const"] == task
    assert "task" in schema["required"]


def test_bodies_and_answers_have_names(document: Node) -> None:
    for name, operation in operations(document):
        bodies = list(operation["responses"].values())
        if "requestBody" in operation:
            bodies.append(operation["requestBody"])
        for body in bodies:
            content = body.get("content", {})
            media_type = content.get("application/json", {})
            schema = media_type.get("schema", {})
            assert "properties" not in schema, name
            assert "anyOf" not in schema, name


def test_the_names_of_schemas_read_as_names_of_types(schemas: Node) -> None:
    for name in schemas:
        assert re.fullmatch("[A-Z][A-Za-z0-9]*", name), name


def test_no_schema_has_a_name_that_oapi_codegen_gives_to_types_of_its_own(
    document: Node, schemas: Node
) -> None:
    for name, operation in operations(document):
        words = operation["operationId"].split("_")
        method = "".join(word.capitalize() for word in words)
        for ending in ("Response", "Params", "JSONBody", "JSONRequestBody"):
            assert method + ending not in schemas, name
