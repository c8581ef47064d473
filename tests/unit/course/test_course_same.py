"""Models and figures of another machine: close enough, or somebody else's."""

import pytest
from onnx import TensorProto, helper

from core.files import sha256_bytes
from course.grading import same
from course.grading.result import Red

HOLDOUT = {"accuracy": 0.9, "log_loss": 0.25}
ROWS = [{"size": "1.5", "price": "3"}]
FLOAT = TensorProto.FLOAT


def runs(**metrics: float) -> list[dict[str, object]]:
    """Return the published runs of a training, one of them the challenger's."""
    values = {}
    for name, value in metrics.items():
        values[f"holdout_{name}"] = [[value, 0, 0]]
    return [
        {"name": "forest", "metrics": values},
        {"name": "dummy", "metrics": {}},
    ]


def test_figures_agree_within_the_tolerance() -> None:
    equal = runs(**HOLDOUT)
    same.require_metrics(equal, "forest", HOLDOUT, 0.0)
    near = runs(accuracy=0.9, log_loss=0.25001)
    same.require_metrics(near, "forest", HOLDOUT, 1e-4)
    with pytest.raises(Red, match="log_loss of forest is 0.25001 in the history"):
        same.require_metrics(near, "forest", HOLDOUT, 0.0)


def test_a_challenger_without_a_run_is_seen() -> None:
    equal = runs(**HOLDOUT)
    with pytest.raises(Red, match="has 0 runs of boosting"):
        same.require_metrics(equal, "boosting", HOLDOUT, 0.0)


def linear(weight: float) -> bytes:
    """Return a model that multiplies its only input."""
    node = helper.make_node("Mul", ["size", "weight"], ["y"])
    shape = [None, 1]
    size = helper.make_tensor_value_info("size", FLOAT, shape)
    answer = helper.make_tensor_value_info("y", FLOAT, shape)
    value = helper.make_tensor("weight", FLOAT, [1], [weight])
    graph = helper.make_graph([node], "linear", [size], [answer], [value])
    opset = helper.make_opsetid("", 21)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    content = model.SerializeToString()
    return bytes(content)


def test_a_model_that_differs_by_more_than_rounding_is_seen() -> None:
    kept = linear(2.0)
    digest = sha256_bytes(kept)
    near = linear(2.00001)
    same.require_predictions(kept, digest, near, ROWS, 1e-4)
    other = linear(2.1)
    with pytest.raises(Red, match="differ by 0.15 on held-out row 0"):
        same.require_predictions(kept, digest, other, ROWS, 1e-4)


def test_a_file_that_was_exchanged_or_is_no_model_is_seen() -> None:
    kept = linear(2.0)
    other_digest = "0" * 64
    with pytest.raises(Red, match="is not 000000000000, which was promoted"):
        same.require_predictions(kept, other_digest, kept, ROWS, 1e-6)
    no_model = b"x"
    digest = sha256_bytes(no_model)
    with pytest.raises(Red, match="the ONNX file cannot be asked"):
        same.require_predictions(no_model, digest, kept, ROWS, 1e-6)
