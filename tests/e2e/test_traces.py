"""Traces as a collector gets them: of a real API, a real trainer beside it, and its
jobs.
"""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.support.otlp_collector import SERVER, Collector, collecting
from tests.support.service import MODELS, TASKS
from tests.support.serving import Api, golden, manifest
from tests.support.waiting import wait_until
from tests.unit.pipeline.worker.service import checkout, running

pytestmark = pytest.mark.slow
KEY = {"X-API-Key": "a key for the tests"}
# Of a request that another service is in the middle of.
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
ABOUT = {
    "MLOPS_REVISION": "0123456789abcdef0123456789abcdef01234567",
    "MLOPS_ENVIRONMENT": "a lab, room 3",
    "OTEL_RESOURCE_ATTRIBUTES": "team=blue",
}
SDK = ("opentelemetry.sdk", "opentelemetry.exporter")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


@pytest.fixture(scope="module")
def traced(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """An API and a trainer that send their spans to the collector."""
    repo = checkout(tmp_path_factory.mktemp("checkout"))
    with running(repo, **collector.settings, **ABOUT) as trainer:
        settings = collector.settings | ABOUT
        settings |= {
            "API_ADMIN_KEY": KEY["X-API-Key"],
            "API_TRAINER_URL": f"http://127.0.0.1:{trainer.port}",
            "API_STATE": str(trainer.state),
            "API_MODELS": str(repo.models),
            "PYTHONPROFILEIMPORTTIME": "1",
        }
        with Api(tmp_path_factory.mktemp("api"), models=None, **settings) as api:
            yield api


def about(task: str) -> dict[str, Any]:
    found = manifest(MODELS / task)
    return {"task": task, "model_version": found["version"], "run_id": found["run_id"]}


@pytest.fixture
def api(traced: Api, collector: Collector) -> Api:
    """The API, nothing of what it was asked before left to come."""
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
    assert (span.kind, span.service, span.parent) == (SERVER, "mlops-api", "")
    told = {"http.request.method": "POST", "http.route": "/predict/{task}"}
    told |= {"url.path": f"/predict/{task}", "http.response.status_code": 200}
    assert told.items() <= span.attributes.items() and not span.failed
    steps = collector.children(span)
    assert set(steps) == {"validation", "inference", "prediction log"}
    assert steps["validation"].attributes == about(task)
    for step in ("inference", "prediction log"):
        assert steps[step].attributes == about(task) | {"rows": 3}
    assert sum(step.nanoseconds for step in steps.values()) < span.nanoseconds
    assert api.logged(answer.headers["x-request-id"])["trace_id"] == span.trace
    written = collector.wait_for("prediction log write", rows=3)
    assert not written.parent and written.trace != span.trace


@pytest.mark.parametrize(
    "histogram", ["http_request_duration_seconds", "prediction_duration_seconds"]
)
def test_a_histogram_leads_to_a_trace(
    api: Api, collector: Collector, histogram: str
) -> None:
    api.client.post("/predict", json=golden("housing"), headers=CALLED)
    span = collector.wait_for("POST /predict")
    accepted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    lines = api.client.get("/metrics", headers=accepted).text.splitlines()
    exemplars = [
        line
        for line in lines
        if line.startswith(f"{histogram}_bucket") and "# {" in line
    ]
    assert any(f'# {{trace_id="{span.trace}"}}' in line for line in exemplars)
    assert not any("/health" in line for line in exemplars)
    plain = api.client.get("/metrics", headers={"Accept": "text/plain"}).text
    assert "trace_id" not in plain


def test_the_trace_of_a_client_goes_on(api: Api, collector: Collector) -> None:
    answer = api.client.post("/predict", json=golden("housing"), headers=CALLED)
    span = collector.wait_for("POST /predict")
    assert (span.trace, span.parent) == (TRACE, CALLER)
    assert {step.trace for step in collector.children(span).values()} == {TRACE}
    assert api.logged(answer.headers["x-request-id"])["trace_id"] == TRACE


def test_a_client_that_does_not_sample_is_heeded(
    api: Api, collector: Collector
) -> None:
    unsampled = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
    answer = api.client.post("/predict", json=golden("housing"), headers=unsampled)
    assert "trace_id" not in api.logged(answer.headers["x-request-id"])
    api.get("/models")
    collector.wait_for("GET /models")
    assert TRACE not in {span.trace for span in collector.spans}


def test_an_inference_by_the_protocol_has_the_same_steps(
    api: Api, collector: Collector
) -> None:
    one: dict[str, Any] = {"shape": [1, 1], "datatype": "FP32"}
    inputs = [
        one | {"name": name, "data": [value]} for name, value in golden("iris").items()
    ]
    api.post("/v2/models/iris/infer", {"inputs": inputs})
    span = collector.wait_for("POST /v2/models/{name}/infer")
    assert set(collector.children(span)) == {
        "validation",
        "inference",
        "prediction log",
    }


def test_a_step_that_fails_is_marked_and_a_bad_request_is_no_error_of_ours(
    api: Api, collector: Collector
) -> None:
    api.post("/predict/iris", {}, 422)
    span = collector.wait_for("POST /predict/{task}")
    assert span.attributes["http.response.status_code"] == 422
    steps = collector.children(span)
    assert (
        set(steps) == {"validation"} and steps["validation"].failed and not span.failed
    )
    api.post("/predict/nothing", {}, 404)
    unknown = collector.wait_for(
        "POST /predict/{task}", **{"http.response.status_code": 404}
    )
    assert not collector.children(unknown)


def test_probes_and_metrics_are_not_traced(api: Api, collector: Collector) -> None:
    for path in ("/health", "/health/live", "/v2/health/ready", "/metrics/summary"):
        assert "trace_id" not in api.client.get(path).text
    api.get("/models/iris")
    collector.wait_for("GET /models/{task}")
    assert [span.name for span in collector.spans] == ["GET /models/{task}"]


def test_an_explanation_is_one_trace_through_both_services(
    api: Api, collector: Collector
) -> None:
    api.client.post("/explain/iris", json=[golden("iris")] * 2, headers=CALLED)
    wait_until(
        lambda: len([span for span in collector.spans if span.trace == TRACE]) == 4
    )
    span = next(span for span in collector.spans if span.parent == CALLER)
    assert (span.name, span.service) == ("POST /explain/{task}", "mlops-api")
    asked = collector.children(span)["explanation"]
    assert asked.attributes == about("iris") | {"rows": 2}
    served = collector.children(asked)["POST /explain/{task}"]
    assert (served.kind, served.service) == (SERVER, "mlops-trainer")
    assert collector.children(served)["SHAP values"].attributes == {
        "task": "iris",
        "rows": 2,
    }


def test_no_key_gets_into_a_trace_a_log_or_an_answer(
    api: Api, collector: Collector
) -> None:
    secret, wrong = KEY["X-API-Key"], "another key that is secret"
    for key in (secret, wrong):
        asked = {"key": key, "X-API-Key": key, "limit": "5", key: "1"}
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            answer = api.client.get("/predictions", params=asked, headers=headers)
            assert key not in answer.text + str(answer.headers)
    span = collector.wait_for("GET /predictions", **{"url.query": "limit=5"})
    api.logged(answer.headers["x-request-id"])
    said = (
        f"{[(s.name, s.attributes, s.resource) for s in collector.spans]}{api.output()}"
    )
    said += api.log.read_text(encoding="utf-8")
    for key in (secret, wrong):
        for form in (key, quote(key), quote_plus(key)):
            assert form not in said
    assert span.attributes["url.path"] == "/predictions"


def test_every_service_says_which_release_it_is_and_where_it_runs(
    api: Api, collector: Collector
) -> None:
    api.client.post("/explain/iris", json=golden("iris"), headers=CALLED)
    wait_until(
        lambda: len([span for span in collector.spans if span.trace == TRACE]) == 4
    )
    for span in collector.spans:
        assert span.resource["service.version"].endswith("0123456789ab")
        assert span.resource["deployment.environment.name"] == "a lab, room 3"
        assert span.resource["team"] == "blue"


def ask(api: Api, path: str, body: Any) -> dict[str, Any]:
    """Ask for a job and return it once it has ended."""
    asked = api.client.post(path, json=body, headers=KEY | CALLED)
    assert asked.status_code == 202, asked.text
    job: dict[str, Any] = {}

    def ended() -> bool:
        job.update(api.client.get(f"/jobs/{asked.json()['id']}", headers=KEY).json())
        return job["ended"] is not None

    wait_until(ended)
    return job


def test_a_training_job_is_part_of_the_trace_that_asked_for_it(
    api: Api, collector: Collector
) -> None:
    body = {"task": "iris", "algorithm": "logistic_regression"}
    job = ask(api, "/train?wait=0", body)
    assert job["status"] == "succeeded", job
    trained = collector.wait_for("job train")
    asked = next(span for span in collector.spans if span.parent == CALLER)
    submitted = collector.children(asked)["POST /jobs"]
    assert (asked.name, submitted.service) == ("POST /train", "mlops-trainer")
    assert collector.children(submitted) == {"job train": trained}
    assert trained.attributes == body and not trained.failed
    (fitted,) = [span for span in collector.spans if span.name == "fit candidates"]
    assert (fitted.trace, fitted.parent) == (TRACE, trained.id)
    assert trained.nanoseconds >= (job["ended"] - job["started"]) * 1_000_000


def test_a_job_that_fails_is_a_span_that_says_so(
    api: Api, collector: Collector
) -> None:
    assert (
        ask(api, "/models/housing/load?wait=0", {"version": 999})["status"] == "failed"
    )
    loaded = collector.wait_for("job load")
    assert loaded.failed and loaded.attributes == {"task": "housing", "version": 999}


def test_off_it_imports_nothing_and_answers_the_same(
    traced: Api, tmp_path: Path
) -> None:
    paths = ("/models/iris", "/predict", "/nothing", "/v2/models/iris", "/docs")
    asked = [("GET", path, None) for path in paths]
    asked += [("POST", f"/predict/{task}", golden(task)) for task in TASKS]
    asked += [
        ("POST", path, {})
        for path in ("/predict/iris", "/predict/none", "/predict/a/b")
    ]
    asked += [("POST", "/explain/iris", [])]
    with Api(tmp_path, PYTHONPROFILEIMPORTTIME="1") as off:
        seen = [[_answer(api, *request) for request in asked] for api in (off, traced)]
        assert seen[0] == seen[1]
    for name in SDK:
        assert name in traced.output()
        assert name not in off.output()


def _answer(api: Api, method: str, path: str, body: Any) -> tuple[int, set[str], Any]:
    """Return what must be the same: the status, the names of the headers, the body but
    its id.
    """
    answer = api.client.request(method, path, json=body)
    content = answer.json() if "json" in answer.headers["content-type"] else answer.text
    if isinstance(content, dict):
        content = {
            key: content[key] for key in content if key not in ("request_id", "loaded")
        }
    return answer.status_code, set(answer.headers), content


def test_what_is_left_is_sent_at_the_end(tmp_path: Path) -> None:
    with collecting() as late:
        settings = late.settings | {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with Api(tmp_path, **settings) as api:
            api.post("/predict", golden("housing"))
            assert late.spans == []
            assert api.stop() == 0
        names = {span.name for span in late.spans}
        assert {"POST /predict", "inference", "prediction log write"} <= names


def test_a_collector_that_never_answers_delays_nothing(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(100)
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": (
                f"http://127.0.0.1:{silent.getsockname()[1]}"
            ),
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with Api(tmp_path, **settings) as api:
            slowest, end = 0.0, time.monotonic() + 4
            while time.monotonic() < end:
                began = time.monotonic()
                api.post("/predict", golden("housing"))
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.02)  # other tests run beside this one
            began = time.monotonic()
            assert api.stop() == 0
            assert time.monotonic() - began < 9 and slowest < 1
        assert api.output().count("Failed to export") == 1
