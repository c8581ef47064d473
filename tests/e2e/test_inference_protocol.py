"""The Open Inference Protocol, version 2: its own rules, one by one, for every task.

The rules: https://github.com/kserve/open-inference-protocol, `inference_rest.md` and
`open_inference_rest.yaml` in `specification/protocol`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.service import MODELS, TASKS
from tests.support.serving import Api, golden, manifest

pytestmark = pytest.mark.slow
every_task = pytest.mark.parametrize("task", TASKS)
Json = dict[str, Any]


def inputs(task: str, rows: int = 1, nested: bool = False) -> list[Json]:
    """Return a task's golden request as tensors."""
    return [
        {
            "name": feature["name"],
            "shape": [rows, 1],
            "datatype": "BYTES" if feature["type"] == "category" else "FP32",
            "data": [
                (
                    [golden(task)[feature["name"]]]
                    if nested
                    else golden(task)[feature["name"]]
                )
            ]
            * rows,
        }
        for feature in manifest(MODELS / task)["features"]
    ]


def infer(api: Api, task: str, status: int = 200, **body: Any) -> Json:
    answer: Json = api.post(
        f"/v2/models/{task}/infer", {"inputs": inputs(task)} | body, status
    )
    return answer


def refused(api: Api, task: str, tensors: Any) -> str:
    """Return why tensors are refused: status 400, and an object with the key `error`
    alone.
    """
    answer = infer(api, task, 400, inputs=tensors)
    assert list(answer) == ["error"]
    assert isinstance(answer["error"], str)
    return str(answer["error"])


def edited(task: str, **changes: Any) -> list[Json]:
    """Return the tensors with some keys of the first one changed."""
    first, *others = inputs(task)
    return [first | changes, *others]


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_server_metadata_is_name_version_and_extensions(api: Api, path: str) -> None:
    answer = api.get(path)
    assert sorted(answer) == ["extensions", "name", "version"]
    assert isinstance(answer["name"], str)
    assert isinstance(answer["version"], str)
    assert answer["extensions"] == []


def test_the_server_is_live_and_ready(api: Api) -> None:
    assert api.get("/v2/health/live") == {"live": True}
    # The text names the key `live` in both answers, where servers and clients say
    # `ready`.
    assert api.get("/v2/health/ready") == {"live": True, "ready": True}


@every_task
def test_a_model_is_ready_with_and_without_its_version(api: Api, task: str) -> None:
    version = manifest(MODELS / task)["version"]
    for path in (
        f"/v2/models/{task}/ready",
        f"/v2/models/{task}/versions/{version}/ready",
    ):
        assert api.get(path) == {"name": task, "ready": True}


@every_task
def test_model_metadata_names_the_tensors(api: Api, task: str) -> None:
    about = manifest(MODELS / task)
    answer = api.get(f"/v2/models/{task}")
    assert answer == api.get(f"/v2/models/{task}/versions/{about['version']}")
    assert (answer["name"], answer["versions"]) == (task, [str(about["version"])])
    assert isinstance(answer["platform"], str)
    by_name = {tensor["name"]: tensor for tensor in answer["inputs"]}
    for feature in about["features"]:
        datatype = "BYTES" if feature["type"] == "category" else "FP32"
        expected = {"name": feature["name"], "datatype": datatype, "shape": [-1, 1]}
        assert by_name.pop(feature["name"]) == expected
    assert by_name == {}
    assert all(
        set(tensor) == {"name", "datatype", "shape"} for tensor in answer["outputs"]
    )


@every_task
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("rows", [1, 3])
def test_inference_returns_what_the_metadata_announces(
    api: Api, task: str, rows: int, nested: bool
) -> None:
    answer = infer(api, task, inputs=inputs(task, rows, nested))
    about = manifest(MODELS / task)
    assert sorted(answer) == ["model_name", "model_version", "outputs"]
    assert (answer["model_name"], answer["model_version"]) == (
        task,
        str(about["version"]),
    )
    announced = {
        tensor["name"]: tensor for tensor in api.get(f"/v2/models/{task}")["outputs"]
    }
    for output in answer["outputs"]:
        expected = announced.pop(output["name"])
        assert output["datatype"] == expected["datatype"]
        assert output["shape"] == [
            rows if size == -1 else size for size in expected["shape"]
        ]
        size = 1
        for length in output["shape"]:
            size *= length
        assert len(output["data"]) == size
    assert announced == {}


@every_task
def test_inference_says_what_the_api_predicts(api: Api, task: str) -> None:
    prediction = api.post(f"/predict/{task}", golden(task))
    data = infer(api, task)["outputs"][-1]["data"]
    if classes := manifest(MODELS / task)["target"]["classes"]:
        expected = [prediction["probabilities"][name] for name in classes]
    else:
        expected = [prediction["prediction"]]
    assert data == pytest.approx(expected, rel=1e-5)


@every_task
def test_a_version_may_be_named_and_the_inputs_come_in_any_order(
    api: Api, task: str
) -> None:
    version = manifest(MODELS / task)["version"]
    answer = api.post(
        f"/v2/models/{task}/versions/{version}/infer", {"inputs": inputs(task)[::-1]}
    )
    assert answer == infer(api, task)


@pytest.mark.parametrize("given", ["42", "", "é", "x" * 1000])
def test_the_id_is_returned(api: Api, given: str) -> None:
    assert infer(api, "iris", id=given)["id"] == given


def test_an_id_that_is_no_text_is_refused(api: Api) -> None:
    assert list(infer(api, "iris", 400, id=42)) == ["error"]
    body = json.dumps({"inputs": inputs("iris"), "id": "\ud800"})
    headers = {"Content-Type": "application/json"}
    answer = api.client.post("/v2/models/iris/infer", content=body, headers=headers)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


@every_task
def test_the_outputs_that_are_asked_for_are_returned(api: Api, task: str) -> None:
    names = [tensor["name"] for tensor in api.get(f"/v2/models/{task}")["outputs"]]
    for name in names:
        answer = infer(api, task, outputs=[{"name": name, "parameters": {"any": 1}}])
        assert [output["name"] for output in answer["outputs"]] == [name]
    everything = infer(api, task, outputs=[{"name": name} for name in names])
    assert everything == infer(api, task)
    assert (
        "no output 'nothing'"
        in infer(api, task, 400, outputs=[{"name": "nothing"}])["error"]
    )


def test_parameters_are_accepted_everywhere(api: Api) -> None:
    parameters = {"text": "a", "number": 1.5, "whole": 1, "flag": True}
    tensors = [tensor | {"parameters": parameters} for tensor in inputs("iris")]
    answer = infer(api, "iris", inputs=tensors, parameters=parameters)
    assert answer == infer(api, "iris")


@pytest.mark.parametrize("path", ["", "/ready", "/infer"])
@pytest.mark.parametrize(
    "model", ["nothing", "iris/versions/999", "iris/versions/latest"]
)
def test_an_unknown_model_or_version_is_404(api: Api, model: str, path: str) -> None:
    method = "POST" if path == "/infer" else "GET"
    body = {"inputs": inputs("iris")} if path == "/infer" else None
    answer = api.client.request(method, f"/v2/models/{model}{path}", json=body)
    assert answer.status_code == 404
    assert list(answer.json()) == ["error"]


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
    assert refused(api, "iris", edited("iris", **changes))


def test_numbers_are_no_texts_and_only_known_categories_are_taken(api: Api) -> None:
    assert refused(api, "credit", edited("credit", data=[1]))
    assert refused(api, "credit", edited("credit", data=["a bank in space"]))


@every_task
def test_every_input_is_needed_once(api: Api, task: str) -> None:
    tensors = inputs(task)
    for wrong in (
        [],
        tensors[1:],
        [*tensors, tensors[0]],
        [*tensors, tensors[0] | {"name": "x"}],
    ):
        assert "each of these once" in refused(api, task, wrong)


def test_rows_must_be_as_many_everywhere_and_not_none(api: Api) -> None:
    first, *others = inputs("iris")
    assert refused(api, "iris", [first, *inputs("iris", 2)[1:]])
    assert refused(
        api,
        "iris",
        [tensor | {"shape": [0, 1], "data": []} for tensor in inputs("iris")],
    )


def test_more_rows_than_allowed_are_413(api: Api) -> None:
    assert (
        len(infer(api, "iris", inputs=inputs("iris", 10_000))["outputs"][0]["data"])
        == 10_000
    )
    assert list(infer(api, "iris", 413, inputs=inputs("iris", 10_001))) == ["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b"{}"]
)
def test_a_body_that_is_no_request_is_400(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.client.post("/v2/models/iris/infer", content=body, headers=headers)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]


def test_other_paths_and_methods_have_the_protocols_form_too(api: Api) -> None:
    for method, path, status in (("GET", "/v2/nothing", 404), ("PUT", "/v2", 405)):
        answer = api.client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_inferences_are_counted_and_logged_like_predictions(api: Api) -> None:
    counted = api.metric("predictions_total", task="iris")
    rows = api.metric("prediction_log_rows_total")
    infer(api, "iris", inputs=inputs("iris", 5))
    assert api.metric("predictions_total", task="iris") == counted + 5
    api.wait_for_rows(int(rows) + 5)


def test_a_model_that_cannot_be_served_is_503_and_so_is_the_server(
    tmp_path: Path,
) -> None:
    broken = Api(tmp_path)
    (broken.models / "iris" / "model.onnx").write_bytes(b"")
    with broken:
        assert broken.get("/v2/health/live") == {"live": True}
        assert broken.get("/v2/health/ready", 503) == {"live": True, "ready": False}
        assert list(broken.get("/v2/models/iris/ready", 503)) == ["error"]
        assert list(broken.get("/v2/models/iris", 503)) == ["error"]
        assert list(infer(broken, "iris", 503)) == ["error"]
        assert broken.get("/v2/models/housing/ready") == {
            "name": "housing",
            "ready": True,
        }
