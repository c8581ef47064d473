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
# Below these keys are values of the API, which may look like a description of it.
VALUES = (
    "example",
    "examples",
    "default",
)
NAME_OF_A_METHOD = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
NAME_OF_A_TYPE = "[A-Z][A-Za-z0-9]*"
NAMED_SCHEMA = "/components/schemas/[A-Za-z0-9]+"
# With these, oapi-codegen ends the names of types that it adds.
ENDINGS_OF_OAPI_CODEGEN = (
    "Response",
    "Params",
    "JSONBody",
    "JSONRequestBody",
)


@pytest.fixture(scope="module")
def document(shared_client: TestClient) -> Node:
    response = shared_client.get("/openapi.json")
    content: Node = response.json()
    return content


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
            if key not in VALUES:
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
        assert re.fullmatch(NAME_OF_A_METHOD, operation_id), name
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
        tags = operation["tags"]
        used.update(tags)
    assert used == described


def test_the_document_names_its_server_its_licence_and_a_contact(
    document: Node,
) -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    project = tomllib.loads(text)["project"]
    licence = project["license"]
    info = document["info"]
    assert info["license"] == {
        "name": licence,
        "identifier": licence,
    }
    assert info["contact"]
    assert document["servers"] == [{"url": "/"}]


def test_every_operation_can_be_refused(document: Node) -> None:
    for name, operation in operations(document):
        statuses = operation["responses"]
        refusals = [status for status in statuses if status.startswith("4")]
        assert refusals, name


def test_every_refusal_has_a_form_with_a_name(document: Node) -> None:
    for name, operation in operations(document):
        is_v2 = " /v2" in name
        if is_v2:
            form = "InferenceError"
            media_type = "application/json"
        else:
            form = "Problem"
            media_type = "application/problem+json"
        for status, response in operation["responses"].items():
            if status < "400" or is_health(response):
                continue
            body = {"schema": reference(form)}
            expected = {media_type: body}
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
            place = (name, parameter["name"])
            assert "null" not in schema, place


def test_every_array_says_what_its_items_are(document: Node) -> None:
    for place, node in nodes(document):
        is_array = node.get("type") == "array"
        if is_array or "prefixItems" in node:
            items = node.get("items")
            assert isinstance(items, dict), place


def test_every_number_says_how_large_it_is(document: Node) -> None:
    for place, node in nodes(document):
        kind = node.get("type")
        # A property that is called `type` is an object here.
        if isinstance(kind, str) and kind in FORMATS:
            assert node["format"] == FORMATS[kind], place


def test_every_choice_has_a_name_and_so_has_each_list_in_it(document: Node) -> None:
    for place, node in nodes(document):
        any_of = node.get("anyOf", [])
        one_of = node.get("oneOf", [])
        choices = any_of + one_of
        # A type that may also be null is not a choice.
        types = [choice for choice in choices if choice != NULL]
        if len(types) < 2:
            continue
        assert re.fullmatch(NAMED_SCHEMA, place), place
        for choice in types:
            kind = choice.get("type")
            assert kind not in ("array", "object"), place


@pytest.mark.parametrize("task", ["credit", "housing", "iris"])
@pytest.mark.parametrize("ending", ["Prediction", "Predictions"])
def test_the_type_of_a_prediction_has_the_task_as_a_constant(
    schemas: Node,
    task: str,
    ending: str,
) -> None:
    name = type_name(task) + ending
    answers = schemas["PredictAnswer"]
    assert reference(name) in answers["anyOf"]
    schema = schemas[name]
    properties = schema["properties"]
    assert properties["task"]["const"] == task
    assert "task" in schema["required"]


def test_bodies_and_answers_have_names(document: Node) -> None:
    for name, operation in operations(document):
        responses = operation["responses"]
        bodies = list(responses.values())
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
        assert re.fullmatch(NAME_OF_A_TYPE, name), name


def test_no_schema_has_a_name_that_oapi_codegen_gives_to_types_of_its_own(
    document: Node,
    schemas: Node,
) -> None:
    for name, operation in operations(document):
        operation_id = operation["operationId"]
        words = operation_id.split("_")
        method = "".join(word.capitalize() for word in words)
        for ending in ENDINGS_OF_OAPI_CODEGEN:
            assert method + ending not in schemas, name
