"""Models and figures of another machine: close enough, or somebody else's."""

import pytest
from onnx import TensorProto, helper

from core.files import sha256_bytes
from course.grading import same
from course.grading.result import Red

HOLDOUT = {"accuracy": 0.9, "log_loss": 0.25}


def runs(**metrics: float) -> list[dict[str, object]]:
    """Return the published runs of a training, one of them the challenger's."""
    values = {f"holdout_{name}": [[value, 0, 0]] for name, value in metrics.items()}
    return [{"name": "forest", "metrics": values}, {"name": "dummy", "metrics": {}}]


def test_figures_agree_within_the_tolerance() -> None:
    same.require_metrics(runs(**HOLDOUT), "forest", HOLDOUT, 0.0)
    near = runs(accuracy=0.9, log_loss=0.25001)
    same.require_metrics(near, "forest", HOLDOUT, 1e-4)
    with pytest.raises(Red, match="log_loss of forest is 0.25001 in the history"):
        same.require_metrics(near, "forest", HOLDOUT, 0.0)


def test_a_challenger_without_a_run_is_seen() -> None:
    with pytest.raises(Red, match="has 0 runs of boosting"):
        same.require_metrics(runs(**HOLDOUT), "boosting", HOLDOUT, 0.0)


def linear(weight: float) -> bytes:
    """Return a model that multiplies its only input."""
    node = helper.make_node("Mul", ["size", "weight"], ["y"])
    shape = [None, 1]
    size = helper.make_tensor_value_info("size", TensorProto.FLOAT, shape)
    answer = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    value = helper.make_tensor("weight", TensorProto.FLOAT, [1], [weight])
    graph = helper.make_graph([node], "linear", [size], [answer], [value])
    opset = helper.make_opsetid("", 21)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    return bytes(model.SerializeToString())


def test_a_model_that_differs_by_more_than_rounding_is_seen() -> None:
    kept = linear(2.0)
    rows = [{"size": "1.5", "price": "3"}]
    digest = sha256_bytes(kept)
    same.require_predictions(kept, digest, linear(2.00001), rows, 1e-4)
    with pytest.raises(Red, match="differ by 0.15 on held-out row 0"):
        same.require_predictions(kept, digest, linear(2.1), rows, 1e-4)


def test_a_file_that_was_exchanged_or_is_no_model_is_seen() -> None:
    kept = linear(2.0)
    rows = [{"size": "1.5"}]
    with pytest.raises(Red, match="is not 000000000000, which was promoted"):
        same.require_predictions(kept, "0" * 64, kept, rows, 1e-6)
    with pytest.raises(Red, match="the ONNX file cannot be asked"):
        same.require_predictions(b"x", sha256_bytes(b"x"), kept, rows, 1e-6)
