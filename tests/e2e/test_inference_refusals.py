"""Errors by the Open Inference Protocol, version 2."""

import json

import pytest

from tests.support.inference_requests import (
    Json,
    edited_inputs,
    infer,
    infer_bytes,
    inputs,
    is_error,
    refusal,
)
from tests.support.service import TASKS
from tests.support.serving import Api

pytestmark = pytest.mark.slow


def test_an_id_that_is_not_a_text_is_refused(api: Api) -> None:
    assert is_error(infer(api, "iris", 400, id=42))
    body = {"inputs": inputs("iris"), "id": "\ud800"}
    answer = infer_bytes(api, json.dumps(body).encode())
    assert answer.status_code == 400
    assert is_error(answer.json())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/ready"),
        ("POST", "/infer"),
    ],
)
@pytest.mark.parametrize(
    "model",
    [
        "nothing",
        "iris/versions/999",
        "iris/versions/latest",
    ],
)
def test_an_unknown_model_or_version_is_404(
    api: Api, model: str, method: str, path: str
) -> None:
    body = {"inputs": inputs("iris")} if method == "POST" else None
    answer = api.client.request(method, f"/v2/models/{model}{path}", json=body)
    assert answer.status_code == 404
    assert is_error(answer.json())


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "nothing"},
        {"shape": [1]},
        {"shape": [2, 1]},
        {"shape": [1, 2]},
        {"shape": [-1, 1]},
        {"shape": [1.0, 1]},
        {"shape": []},
        {"shape": [2**64, 1]},
        {"datatype": "FP64"},
        {"datatype": "BYTES"},
        {"datatype": "fp32"},
        {"data": []},
        {"data": [1, 2]},
        {"data": [[1, 2]]},
        {"data": [[[1]]]},
        {"data": [True]},
        {"data": ["5"]},
        {"data": [None]},
        {"data": 5},
        {"data": [1e39]},
        {"data": [10**400]},
        {"data": [10**20]},
        {"data": [1000]},
        {"parameters": []},
    ],
)
def test_a_tensor_that_does_not_fit_is_400(api: Api, changes: Json) -> None:
    assert refusal(api, "iris", edited_inputs("iris", **changes))


@pytest.mark.parametrize("value", [1, "a bank in space"])
def test_a_category_is_a_text_of_the_list(api: Api, value: object) -> None:
    assert refusal(api, "credit", edited_inputs("credit", data=[value]))


@pytest.mark.parametrize("task", TASKS)
def test_every_input_is_needed_once(api: Api, task: str) -> None:
    tensors = inputs(task)
    first = tensors[0]
    unknown = first | {"name": "x"}
    wrong: list[list[Json]] = [
        [],
        tensors[1:],
        [*tensors, first],
        [*tensors, unknown],
    ]
    for given in wrong:
        assert "each of these once" in refusal(api, task, given)


def test_every_input_has_the_same_number_of_rows_and_at_least_one(api: Api) -> None:
    longer = inputs("iris", 2)
    longer[0] = inputs("iris")[0]
    empty = [tensor | {"shape": [0, 1], "data": []} for tensor in longer]
    assert refusal(api, "iris", longer)
    assert refusal(api, "iris", empty)


def test_more_rows_than_allowed_are_413(api: Api) -> None:
    answer = infer(api, "iris", inputs=inputs("iris", 10_000))
    assert len(answer["outputs"][0]["data"]) == 10_000
    refused = infer(api, "iris", 413, inputs=inputs("iris", 10_001))
    assert is_error(refused)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b"{}",
    ],
)
def test_a_body_that_is_not_a_request_is_400(api: Api, body: bytes) -> None:
    answer = infer_bytes(api, body)
    assert answer.status_code == 400
    assert is_error(answer.json())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("PUT", "/v2", 405),
    ],
)
def test_other_paths_and_methods_have_the_protocols_form_too(
    api: Api, method: str, path: str, status: int
) -> None:
    answer = api.client.request(method, path)
    assert answer.status_code == status
    assert is_error(answer.json())
