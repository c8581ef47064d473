"""The metrics, and their summary for people."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.observability.metrics import Metrics
from app.observability.summary import summary
from app.serving.model import Model
from tests.support.json_content import Json
from tests.support.service import MODELS
from tests.support.serving import HOUSE, golden
from tests.support.waiting import wait_until
from tools.reference import described

ERRORS = "prediction_errors_total"


def summary_of(metrics: Metrics, route: str) -> Json:
    """Return what the summary has for a route."""
    content = summary(metrics)
    routes: dict[str, Json] = content["routes"]
    return routes[route]


def test_quantiles_are_estimated_within_a_bucket(metrics: Metrics) -> None:
    metrics.requests_of("POST", "/predict", "200").inc(100)
    seconds = metrics.seconds_of("/predict")
    for _ in range(50):
        seconds.observe(0.0007)
        seconds.observe(0.02)
    assert summary_of(metrics, "/predict") == {
        "requests": 100,
        "errors": 0,
        "p50_ms": pytest.approx(1.0),
        "p95_ms": pytest.approx(10 + 15 * 0.9),
        "p99_ms": pytest.approx(10 + 15 * 0.98),
    }


def test_a_time_beyond_all_buckets_counts_as_the_last_bound(
    metrics: Metrics,
) -> None:
    metrics.requests_of("POST", "/train", "202").inc()
    metrics.seconds_of("/train").observe(60)
    assert summary_of(metrics, "/train")["p50_ms"] == 10_000


def test_a_route_without_times_has_no_quantiles(metrics: Metrics) -> None:
    metrics.requests_of("GET", "/", "500").inc()
    assert summary_of(metrics, "/") == {
        "requests": 1,
        "errors": 1,
        "p50_ms": None,
        "p95_ms": None,
        "p99_ms": None,
    }


def test_predictions_are_counted_by_class_and_version(
    metrics: Metrics, housing: Model
) -> None:
    iris = Model(MODELS / "iris")
    metrics.count(housing, housing.predict([HOUSE] * 3))
    predictions = iris.predict([golden("iris")] * 2)
    metrics.count(iris, predictions)
    predicted_class = predictions[0]["prediction"]
    assert summary(metrics)["predictions"] == {
        "housing": {"value": 3},
        "iris": {predicted_class: 2},
    }
    labels = {
        "task": "housing",
        "version": str(housing.manifest.version),
        "outcome": "value",
    }
    assert metrics.registry.get_sample_value("predictions_total", labels) == 3


def test_the_confidence_of_a_class_is_added_up(metrics: Metrics) -> None:
    iris = Model(MODELS / "iris")
    predictions = iris.predict([golden("iris")] * 2)
    metrics.count(iris, predictions)
    first = predictions[0]
    labels = {
        "task": "iris",
        "predicted_class": first["prediction"],
    }
    value = metrics.registry.get_sample_value
    assert value("prediction_confidence_count", labels) == 2
    assert value("prediction_confidence_sum", labels) == 2 * first["confidence"]


def test_one_model_per_task_is_shown(metrics: Metrics, housing: Model) -> None:
    other = Model(MODELS / "housing")
    other.manifest = other.manifest.model_copy(update={"version": 99})
    for model in (housing, other):
        metrics.show_model("housing", model, True)
    content, _ = metrics.render()
    (line,) = [line for line in content.splitlines() if b"model_info{" in line]
    assert b'version="99"' in line


def test_the_table_in_the_docs_is_what_is_scraped(client: TestClient) -> None:
    for task in ("housing", "iris", "credit"):
        records = [golden(task)] * 600
        answer = client.post(f"/predict/{task}", json=records).json()
    client.post("/predict/iris", json={})
    wait_for_metric(client, "prediction_log_pending 0.0")
    feedback = {
        "request_id": answer["request_id"],
        "truth": [row["prediction"] for row in answer["predictions"]],
    }
    client.post("/feedback", json=feedback)
    wait_for_metric(client, "drift_detected{")
    wait_for_metric(client, "model_live_metric{")
    scraped = client.get("/metrics").text
    assert labels_by_family(scraped) == documented_labels()


def wait_for_metric(client: TestClient, text: str) -> None:
    wait_until(lambda: text in client.get("/metrics").text)


def labels_by_family(text: str) -> dict[str, set[str]]:
    """Return the labels of each of our families in a scrape."""
    families: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith(("process_", "python_")):
            continue
        labels = families.setdefault(family.name, set())
        for sample in family.samples:
            labels.update(sample.labels)
    return families


def documented_labels() -> dict[str, set[str]]:
    """Return the labels of each family in the table of the documentation."""
    families = {}
    for metric in described():
        labels = set(metric.labels)
        if metric.kind == "histogram":
            labels.add("le")
        name = metric.name.removesuffix("_total")
        families[name] = labels
    return families


def test_errors_are_counted_by_their_reason(client: TestClient) -> None:
    client.post("/predict/iris", json={})
    client.post("/predict/iris", json=[])
    client.post("/predict/roses", json={})
    client.post("/predict/tulips", json={})
    client.post("/predict/iris", json=[golden("iris")] * 10_001)
    client.post("/v2/models/iris/infer", json={"inputs": []})
    text = client.get("/metrics").text
    counts = [line for line in text.splitlines() if line.startswith(ERRORS)]
    assert sorted(counts) == [
        'prediction_errors_total{reason="invalid",task="iris"} 3.0',
        'prediction_errors_total{reason="too_large",task="iris"} 1.0',
        'prediction_errors_total{reason="unknown_task",task="unknown"} 2.0',
    ]
    assert "roses" not in text


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("POST", "/explain/iris", "/explain/{task}", 503),  # no worker runs here
        ("POST", "/explain", "/explain", 503),
        ("POST", "/predict", "/predict", 200),
        ("POST", "/predict/iris", "/predict/{task}", 200),
        ("GET", "/predict/iris", "/predict/{task}", 405),
        ("GET", "/explain", "/explain", 405),
    ],
)
def test_a_request_is_counted_by_its_route(
    client: TestClient, method: str, path: str, route: str, status: int
) -> None:
    record = golden("iris") if method == "POST" else None
    answer = client.request(method, path, json=record)
    assert answer.status_code == status
    labels = f'method="{method}",route="{route}",status="{status}"'
    line = f"http_requests_total{{{labels}}} 1.0"
    assert line in client.get("/metrics").text


def test_a_scraper_that_accepts_openmetrics_gets_it(client: TestClient) -> None:
    plain = client.get("/metrics")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "# EOF" not in plain.text
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    other = client.get("/metrics", headers=accept)
    assert other.headers["content-type"].startswith("application/openmetrics-text")
    assert other.text.endswith("# EOF\n")
