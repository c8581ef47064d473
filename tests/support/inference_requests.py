"""Requests of the Open Inference Protocol, version 2, for the tests' models.

The rules: https://github.com/kserve/open-inference-protocol, `inference_rest.md` and
`open_inference_rest.yaml` in `specification/protocol`.
"""

from typing import Any

from httpx import Response

from tests.support.serving import Api, golden, served_manifest

Json = dict[str, Any]


def datatype(feature: Json) -> str:
    """Return the protocol's type for a feature's values."""
    return "BYTES" if feature["type"] == "category" else "FP32"


def inputs(task: str, rows: int = 1, nested: bool = False) -> list[Json]:
    """Return a task's golden request as tensors."""
    record = golden(task)
    tensors = []
    for feature in served_manifest(task)["features"]:
        name = feature["name"]
        value = record[name]
        row = [value] if nested else value
        tensor = {
            "name": name,
            "shape": [rows, 1],
            "datatype": datatype(feature),
            "data": [row] * rows,
        }
        tensors.append(tensor)
    return tensors


def edited_inputs(task: str, **changes: Any) -> list[Json]:
    """Return the tensors with some keys of the first one changed."""
    first, *others = inputs(task)
    return [first | changes, *others]


def version_path(task: str) -> str:
    """Return the path of the version in service."""
    version = served_manifest(task)["version"]
    return f"/v2/models/{task}/versions/{version}"


def metadata(api: Api, task: str) -> Json:
    """Return the API's description of a model and its tensors."""
    answer: Json = api.get(f"/v2/models/{task}")
    return answer


def infer(api: Api, task: str, status: int = 200, **members: Any) -> Json:
    """Return the answer to a golden request in which some members are replaced."""
    body = {"inputs": inputs(task)} | members
    answer: Json = api.post(f"/v2/models/{task}/infer", body, status)
    return answer


def is_error(answer: Json) -> bool:
    """Whether an answer is an object with the key `error` alone, which is a text."""
    return list(answer) == ["error"] and isinstance(answer["error"], str)


def refusal(api: Api, task: str, tensors: object) -> str:
    """Return the error of tensors that are refused with status 400."""
    answer = infer(api, task, 400, inputs=tensors)
    assert is_error(answer)
    return str(answer["error"])


def infer_bytes(api: Api, body: bytes) -> Response:
    """Send a body as it is to the model of iris."""
    headers = {"Content-Type": "application/json"}
    return api.client.post("/v2/models/iris/infer", content=body, headers=headers)
