"""The comparisons of the smoke test; `tests/stack` has those with a real stack."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from scripts import smoke
from scripts.stack import monitoring, verify
from scripts.stack.settings import Settings, StackError
from tests.support.json_content import Json

FLOWER = {
    "task": "iris",
    "version": 2,
    "tolerance": 1e-5,
    "target": {"classes": ["setosa", "virginica"]},
    "golden": {"request": {}, "answer": [0.25, 0.75]},
}
HOUSE = {
    "task": "housing",
    "version": 4,
    "tolerance": 0.001,
    "target": {"classes": []},
    "golden": {"request": {}, "answer": 1.5298},
}
METRICS = """# TYPE predictions_total counter
predictions_total{outcome="setosa",task="iris",version="2"} 3.0
predictions_total{outcome="virginica",task="iris",version="2"} 4.0
predictions_total{outcome="value",task="housing",version="4"} 1.0
"""


class Service(HTTPServer):
    """A server in place of the stack, which answers with the `texts` of a test, by path."""

    texts: dict[str, str]


class Answer(BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self) -> None:
        """Send the path's text."""
        assert isinstance(self.server, Service)
        self.send_response(200)
        self.end_headers()
        path, _, _ = self.path.partition("?")
        text = self.server.texts[path]
        self.wfile.write(text.encode())

    def do_POST(self) -> None:
        """Send the path's text."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings(service: Service) -> Settings:
    port = str(service.server_port)
    return Settings(0, (), (), {"API_PORT": port, "PROMETHEUS_PORT": port})


def flower(chance: float, version: int = 2) -> Json:
    chances = {"virginica": chance, "setosa": 1 - chance}
    return {
        "model_version": version,
        "prediction": "virginica",
        "probabilities": chances,
    }


def test_an_answer_within_the_tolerance_is_the_manifests() -> None:
    assert smoke.difference(FLOWER, flower(0.750009)) == ""
    assert smoke.difference(HOUSE, {"model_version": 4, "prediction": 1.5305}) == ""


def test_another_version_or_another_answer_is_a_difference() -> None:
    assert smoke.difference(FLOWER, flower(0.75, 1)) == "v1 answers instead of v2"
    sentence = (
        "the golden request is answered with [0.26, 0.74] instead of [0.25, 0.75]"
    )
    assert smoke.difference(FLOWER, flower(0.74)) == sentence
    house = {"model_version": 4, "prediction": 1.54}
    assert "[1.54] instead of 1.5298" in smoke.difference(HOUSE, house)


def test_predictions_are_counted_by_task(service: Service) -> None:
    service.texts = {"/metrics": METRICS}
    assert smoke.counted_predictions(settings(service)) == {"iris": 7, "housing": 1}


def test_a_prediction_that_is_not_counted_is_a_fault(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "_manifests", lambda: {"iris": FLOWER})
    answer = json.dumps(flower(0.75))
    service.texts = {
        "/metrics": METRICS,
        "/predict/iris": answer,
        "/health": '{"status": "ok"}',
    }
    service.texts["/dashboard/figures"] = (
        '{"hour": {"predictions_total|iris|setosa": [0, 7]}}'
    )
    sentence = "asked for one prediction of iris, and counted from 7 to"
    with pytest.raises(StackError, match=sentence):
        smoke.api(settings(service))


@pytest.mark.parametrize(
    ("jobs", "sentence"),
    [
        ({"prometheus": "up", "mlops-api": "up", "grafana": "up"}, "3 of 3 targets up"),
        ({"prometheus": "up", "mlops-api": "down"}, "prometheus up, mlops-api down"),
        ({"prometheus": "up"}, "is up (prometheus up)"),
    ],
)
def test_every_service_that_is_watched_must_be_up(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    jobs: dict[str, str],
    sentence: str,
) -> None:
    monkeypatch.setattr(monitoring, "SCRAPE_SECONDS", 0)
    targets = []
    for job, health in jobs.items():
        targets.append({"labels": {"job": job}, "health": health})
    # The last one has no container here.
    pools = ["prometheus", "mlops-api", "cadvisor"]
    service.texts = {
        "/api/v1/targets": json.dumps({"data": {"activeTargets": targets}}),
        "/api/v1/scrape_pools": json.dumps({"data": {"scrapePools": pools}}),
    }
    services = ["prometheus", "mlops-api", "trainer"]
    try:
        (seen,) = smoke.prometheus(settings(service), services)
        result = seen.what
    except StackError as error:
        result = str(error)
    assert sentence in result
