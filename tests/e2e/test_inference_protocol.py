"""Answers by the Open Inference Protocol, version 2, for every task."""

import math
from pathlib import Path

import pytest

from tests.support.inference_requests import (
    Json,
    datatype,
    infer,
    inputs,
    is_error,
    metadata,
    version_path,
)
from tests.support.service import TASKS
from tests.support.serving import Api, golden, served_manifest

pytestmark = pytest.mark.slow
every_task = pytest.mark.parametrize("task", TASKS)


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_server_metadata_is_name_version_and_extensions(api: Api, path: str) -> None:
    answer = api.get(path)
    types = {key: type(value) for key, value in answer.items()}
    assert types == {
        "name": str,
        "version": str,
        "extensions": list,
    }
    assert answer["extensions"] == []


def test_the_server_is_live_and_ready(api: Api) -> None:
    assert api.get("/v2/health/live") == {"live": True}
    # The text names the key `live` in both answers, where servers and clients say
    # `ready`.
    assert api.get("/v2/health/ready") == {"live": True, "ready": True}


@every_task
def test_a_model_is_ready_with_and_without_its_version(api: Api, task: str) -> None:
    for path in (f"/v2/models/{task}", version_path(task)):
        answer = api.get(f"{path}/ready")
        assert answer == {
            "name": task,
            "ready": True,
        }


@every_task
def test_model_metadata_names_the_tensors(api: Api, task: str) -> None:
    model = served_manifest(task)
    answer = metadata(api, task)
    assert answer == api.get(version_path(task))
    expected = {
        "name": task,
        "versions": [str(model["version"])],
    }
    assert answer.items() >= expected.items()
    assert isinstance(answer["platform"], str)
    by_name = {tensor["name"]: tensor for tensor in answer["inputs"]}
    for feature in model["features"]:
        name = feature["name"]
        assert by_name.pop(name) == {
            "name": name,
            "datatype": datatype(feature),
            "shape": [-1, 1],
        }
    assert by_name == {}
    for tensor in answer["outputs"]:
        assert set(tensor) == {"name", "datatype", "shape"}


def check_output(output: Json, announced: Json, rows: int) -> None:
    """Compare a tensor with its description in the model's metadata."""
    shape = [rows if size == -1 else size for size in announced["shape"]]
    data = output.pop("data")
    assert len(data) == math.prod(shape)
    assert output == announced | {"shape": shape}


@every_task
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("rows", [1, 3])
def test_inference_returns_what_the_metadata_announces(
    api: Api, task: str, rows: int, nested: bool
) -> None:
    answer = infer(api, task, inputs=inputs(task, rows, nested))
    outputs = answer.pop("outputs")
    version = served_manifest(task)["version"]
    assert answer == {
        "model_name": task,
        "model_version": str(version),
    }
    described = metadata(api, task)["outputs"]
    for output, announced in zip(outputs, described, strict=True):
        check_output(output, announced, rows)


@every_task
def test_inference_says_what_the_api_predicts(api: Api, task: str) -> None:
    classes = served_manifest(task)["target"]["classes"]
    prediction = api.post(f"/predict/{task}", golden(task))
    expected = [prediction["prediction"]]
    if classes:
        probabilities = prediction["probabilities"]
        expected = [probabilities[name] for name in classes]
    output = infer(api, task)["outputs"][-1]
    assert output["data"] == pytest.approx(expected, rel=1e-5)


@every_task
def test_a_version_may_be_named_and_the_inputs_come_in_any_order(
    api: Api, task: str
) -> None:
    tensors = inputs(task)
    tensors.reverse()
    path = version_path(task) + "/infer"
    answer = api.post(path, {"inputs": tensors})
    assert answer == infer(api, task)


@pytest.mark.parametrize("given", ["42", "", "é", "x" * 1000])
def test_the_id_is_returned(api: Api, given: str) -> None:
    answer = infer(api, "iris", id=given)
    assert answer["id"] == given


@every_task
def test_the_outputs_of_a_request_are_returned(api: Api, task: str) -> None:
    names = [tensor["name"] for tensor in metadata(api, task)["outputs"]]
    for name in names:
        output = {"name": name, "parameters": {"any": 1}}
        answer = infer(api, task, outputs=[output])
        returned = [output["name"] for output in answer["outputs"]]
        assert returned == [name]
    all_outputs = [{"name": name} for name in names]
    assert infer(api, task, outputs=all_outputs) == infer(api, task)
    refused = infer(api, task, 400, outputs=[{"name": "nothing"}])
    assert "no output 'nothing'" in refused["error"]


def test_parameters_are_accepted_everywhere(api: Api) -> None:
    parameters = {
        "text": "a",
        "number": 1.5,
        "whole": 1,
        "flag": True,
    }
    tensors = [tensor | {"parameters": parameters} for tensor in inputs("iris")]
    answer = infer(api, "iris", inputs=tensors, parameters=parameters)
    assert answer == infer(api, "iris")


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
        health = broken.get("/v2/health/ready", 503)
        assert health == {"live": True, "ready": False}
        assert is_error(broken.get("/v2/models/iris/ready", 503))
        assert is_error(broken.get("/v2/models/iris", 503))
        assert is_error(infer(broken, "iris", 503))
        other = broken.get("/v2/models/housing/ready")
        assert other == {"name": "housing", "ready": True}
