"""The metrics, and what people are told of them."""

import pytest

from app.metrics import Metrics
from app.model import Model
from app.summary import summary
from tests.serving import HOUSE, MODELS, golden


def test_quantiles_are_estimated_within_a_bucket(metrics: Metrics) -> None:
    metrics.requests_of("POST", "/predict", "200").inc(100)
    for _ in range(50):
        metrics.seconds_of("/predict").observe(0.0007)
    for _ in range(50):
        metrics.seconds_of("/predict").observe(0.02)
    route = summary(metrics)["routes"]["/predict"]
    assert (route["requests"], route["errors"]) == (100, 0)
    assert route["p50_ms"] == pytest.approx(1.0)
    assert route["p95_ms"] == pytest.approx(10 + 15 * 0.9)
    assert route["p99_ms"] == pytest.approx(10 + 15 * 0.98)


def test_what_is_slower_than_all_buckets_is_told_as_the_last_bound(metrics: Metrics) -> None:
    metrics.requests_of("POST", "/train", "202").inc()
    metrics.seconds_of("/train").observe(60)
    assert summary(metrics)["routes"]["/train"]["p50_ms"] == 10_000


def test_a_route_without_times_has_no_quantiles(metrics: Metrics) -> None:
    metrics.requests_of("GET", "/", "500").inc()
    assert summary(metrics)["routes"]["/"] == {
        **{"requests": 1, "errors": 1, "p50_ms": None, "p95_ms": None, "p99_ms": None}
    }


def test_predictions_are_counted_by_class_and_version(metrics: Metrics, housing: Model) -> None:
    iris = Model(MODELS / "iris")
    metrics.count(housing, housing.predict([HOUSE] * 3))
    answers = iris.predict([golden("iris")] * 2)
    metrics.count(iris, answers)
    assert summary(metrics)["predictions"] == {
        "housing": {"value": 3},
        "iris": {answers[0]["prediction"]: 2},
    }
    value = metrics.registry.get_sample_value
    assert value("prediction_confidence_count", {"task": "iris"}) == 2
    labels = {"task": "housing", "version": str(housing.manifest.version), "outcome": "value"}
    assert value("predictions_total", labels) == 3


def test_one_model_a_task_is_shown(metrics: Metrics, housing: Model) -> None:
    other = Model(MODELS / "housing")
    other.manifest = other.manifest.model_copy(update={"version": 99})
    for model in (housing, other):
        metrics.show_model("housing", model, True)
    shown = [line for line in metrics.render()[0].decode().splitlines() if "model_info{" in line]
    assert len(shown) == 1 and 'version="99"' in shown[0]
