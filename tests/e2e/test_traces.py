"""Traces as a collector gets them: of a real API, a real worker beside it, and its
jobs.
"""

from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from tests.support.api_with_worker import run_job
from tests.support.inference_requests import infer
from tests.support.otlp_collector import SERVER, Collector, collecting
from tests.support.service import TASKS
from tests.support.serving import ADMIN_KEY, Api, golden
from tests.support.traced_service import (
    CALLED,
    CALLER,
    TRACE,
    UNSAMPLED,
    called_span,
    model_attributes,
    traced_service,
    wait_for_spans,
)

pytestmark = pytest.mark.slow
STEPS = {"validation", "inference", "prediction log"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def traced(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("traced")
    with traced_service(folder, collector) as api:
        yield api


@pytest.fixture
def api(traced: Api, collector: Collector) -> Api:
    """The API after the spans of all earlier requests have arrived."""
    traced.get("/nothing", 404)
    collector.wait_for("GET", **{"url.path": "/nothing"})
    collector.spans.clear()
    return traced


@pytest.mark.parametrize("task", TASKS)
def test_a_prediction_is_a_trace_of_its_steps(
    api: Api, collector: Collector, task: str
) -> None:
    answer = api.client.post(f"/predict/{task}", json=[golden(task)] * 3)
    span = collector.wait_for("POST /predict/{task}")
    assert span.kind == SERVER
    assert span.service == "mlops-api"
    assert span.parent == ""
    assert not span.failed
    expected = {
        "http.request.method": "POST",
        "http.route": "/predict/{task}",
        "url.path": f"/predict/{task}",
        "http.response.status_code": 200,
    }
    assert span.attributes.items() >= expected.items()
    steps = collector.children(span)
    assert set(steps) == STEPS
    assert steps["validation"].attributes == model_attributes(task)
    for name in ("inference", "prediction log"):
        assert steps[name].attributes == model_attributes(task, rows=3)
    durations = [step.nanoseconds for step in steps.values()]
    assert sum(durations) < span.nanoseconds
    line = api.logged(answer.headers["x-request-id"])
    assert line["trace_id"] == span.trace
    written = collector.wait_for("prediction log write", rows=3)
    assert not written.parent
    assert written.trace != span.trace


@pytest.mark.parametrize(
    "histogram", ["http_request_duration_seconds", "prediction_duration_seconds"]
)
def test_a_histogram_leads_to_a_trace(
    api: Api, collector: Collector, histogram: str
) -> None:
    api.client.post("/predict", json=golden("housing"), headers=CALLED)
    span = collector.wait_for("POST /predict")
    openmetrics = {"Accept": "application/openmetrics-text; version=1.0.0"}
    text = api.client.get("/metrics", headers=openmetrics).text
    exemplars = []
    for line in text.splitlines():
        if line.startswith(f"{histogram}_bucket") and "# {" in line:
            exemplars.append(line)
    trace_id = f'# {{trace_id="{span.trace}"}}'
    assert any(trace_id in line for line in exemplars)
    assert not [line for line in exemplars if "/health" in line]
    plain_text = api.client.get("/metrics", headers={"Accept": "text/plain"}).text
    assert "trace_id" not in plain_text


def test_the_trace_of_a_client_goes_on(api: Api, collector: Collector) -> None:
    answer = api.client.post("/predict", json=golden("housing"), headers=CALLED)
    span = collector.wait_for("POST /predict")
    assert span.trace == TRACE
    assert span.parent == CALLER
    steps = collector.children(span)
    assert {step.trace for step in steps.values()} == {TRACE}
    line = api.logged(answer.headers["x-request-id"])
    assert line["trace_id"] == TRACE


def test_a_client_that_does_not_sample_is_heeded(
    api: Api, collector: Collector
) -> None:
    answer = api.client.post("/predict", json=golden("housing"), headers=UNSAMPLED)
    line = api.logged(answer.headers["x-request-id"])
    assert "trace_id" not in line
    api.get("/models")
    collector.wait_for("GET /models")
    assert TRACE not in {span.trace for span in collector.spans}


def test_an_inference_by_the_protocol_has_the_same_steps(
    api: Api, collector: Collector
) -> None:
    infer(api, "iris")
    span = collector.wait_for("POST /v2/models/{name}/infer")
    assert set(collector.children(span)) == STEPS


def test_a_step_that_fails_is_marked_and_a_bad_request_is_no_error_of_ours(
    api: Api, collector: Collector
) -> None:
    status = "http.response.status_code"
    api.post("/predict/iris", {}, 422)
    span = collector.wait_for("POST /predict/{task}")
    assert span.attributes[status] == 422
    assert not span.failed
    steps = collector.children(span)
    assert set(steps) == {"validation"}
    assert steps["validation"].failed
    api.post("/predict/nothing", {}, 404)
    unknown = collector.wait_for("POST /predict/{task}", **{status: 404})
    assert not collector.children(unknown)


def test_probes_and_metrics_are_not_traced(api: Api, collector: Collector) -> None:
    for path in ("/health", "/health/live", "/v2/health/ready", "/metrics/summary"):
        answer = api.client.get(path)
        assert "trace_id" not in answer.text
    api.get("/models/iris")
    collector.wait_for("GET /models/{task}")
    assert [span.name for span in collector.spans] == ["GET /models/{task}"]


def test_an_explanation_is_one_trace_through_both_services(
    api: Api, collector: Collector
) -> None:
    body = [golden("iris")] * 2
    api.client.post("/explain/iris", json=body, headers=CALLED)
    wait_for_spans(collector, 4)
    span = called_span(collector)
    assert span.name == "POST /explain/{task}"
    assert span.service == "mlops-api"
    explanation = collector.children(span)["explanation"]
    assert explanation.attributes == model_attributes("iris", rows=2)
    served = collector.children(explanation)["POST /explain/{task}"]
    assert served.kind == SERVER
    assert served.service == "mlops-trainer"
    values = collector.children(served)["SHAP values"]
    assert values.attributes == {"task": "iris", "rows": 2}


def test_no_key_gets_into_a_trace_a_log_or_an_answer(
    api: Api, collector: Collector
) -> None:
    keys = (ADMIN_KEY, "another key that is secret")
    request_id = ""
    for key in keys:
        query = {
            "key": key,
            "X-API-Key": key,
            "limit": "5",
            key: "1",
        }
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            answer = api.client.get("/predictions", params=query, headers=headers)
            request_id = answer.headers["x-request-id"]
            assert key not in answer.text
            assert key not in str(answer.headers)
    span = collector.wait_for("GET /predictions", **{"url.query": "limit=5"})
    assert span.attributes["url.path"] == "/predictions"
    api.logged(request_id)
    outputs = [
        api.output(),
        api.log.read_text(encoding="utf-8"),
        str(collector.spans),
    ]
    for key in keys:
        for form in (key, quote(key), quote_plus(key)):
            assert not any(form in output for output in outputs)


def test_every_service_says_which_release_it_is_and_where_it_runs(
    api: Api, collector: Collector
) -> None:
    api.client.post("/explain/iris", json=golden("iris"), headers=CALLED)
    wait_for_spans(collector, 4)
    for resource in (span.resource for span in collector.spans):
        assert resource["service.version"].endswith("0123456789ab")
        assert resource["deployment.environment.name"] == "a lab, room 3"
        assert resource["team"] == "blue"


@pytest.mark.nightly
def test_a_training_job_is_part_of_the_trace_of_its_request(
    api: Api, collector: Collector
) -> None:
    body = {"task": "iris", "algorithm": "logistic_regression"}
    job = run_job(api, "/train", body, CALLED)
    assert job["status"] == "succeeded", job
    trained = collector.wait_for("job train")
    request = called_span(collector)
    submitted = collector.children(request)["POST /jobs"]
    assert request.name == "POST /train"
    assert submitted.service == "mlops-trainer"
    assert collector.children(submitted) == {"job train": trained}
    assert trained.attributes == body
    assert not trained.failed
    (fitted,) = [span for span in collector.spans if span.name == "fit candidates"]
    assert fitted.trace == TRACE
    assert fitted.parent == trained.id
    milliseconds = job["ended"] - job["started"]
    assert trained.nanoseconds >= milliseconds * 1_000_000


def test_a_job_that_fails_is_a_span_that_says_so(
    api: Api, collector: Collector
) -> None:
    job = run_job(api, "/models/housing/load", {"version": 999}, CALLED)
    assert job["status"] == "failed"
    span = collector.wait_for("job load")
    assert span.failed
    assert span.attributes == {"task": "housing", "version": 999}
