"""An API with traces off, one that is stopped, and one whose collector is silent."""

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.otlp_collector import collecting
from tests.support.service import TASKS
from tests.support.serving import Api, golden
from tests.support.traced_service import IMPORTS_SHOWN

pytestmark = pytest.mark.slow
SDK = ("opentelemetry.sdk", "opentelemetry.exporter")
OF_THIS_REQUEST = ("request_id", "loaded")
Request = tuple[str, str, Any]


def requests() -> list[Request]:
    """Return requests of each kind, those of the worker excepted."""
    listed: list[Request] = [
        ("GET", "/models/iris", None),
        ("GET", "/predict", None),
        ("GET", "/nothing", None),
        ("GET", "/v2/models/iris", None),
        ("GET", "/docs", None),
        ("POST", "/predict/iris", {}),
        ("POST", "/predict/none", {}),
        ("POST", "/predict/a/b", {}),
        ("POST", "/explain/iris", []),
    ]
    for task in TASKS:
        listed.append(("POST", f"/predict/{task}", golden(task)))
    return listed


def comparable_answer(api: Api, request: Request) -> tuple[int, set[str], Any]:
    """Return the status, the names of the headers, and the body without its ID."""
    method, path, body = request
    answer = api.client.request(method, path, json=body)
    names = set(answer.headers)
    if "json" not in answer.headers["content-type"]:
        return answer.status_code, names, answer.text
    content = answer.json()
    for key in OF_THIS_REQUEST:
        content.pop(key, None)
    return answer.status_code, names, content


def test_off_it_imports_nothing_and_answers_the_same(tmp_path: Path) -> None:
    folders = tmp_path / "off", tmp_path / "on"
    for folder in folders:
        folder.mkdir()
    with collecting() as collector:
        off = Api(folders[0], **IMPORTS_SHOWN)
        on = Api(folders[1], **IMPORTS_SHOWN, **collector.settings)
        with off, on:
            for request in requests():
                answer = comparable_answer(off, request)
                assert answer == comparable_answer(on, request)
    for name in SDK:
        assert name in on.output()
        assert name not in off.output()


def test_what_is_left_is_sent_at_the_end(tmp_path: Path) -> None:
    with collecting() as collector:
        ten_minutes = {"OTEL_BSP_SCHEDULE_DELAY": "600000"}
        settings = collector.settings | ten_minutes
        with Api(tmp_path, **settings) as api:
            api.post("/predict", golden("housing"))
            assert collector.spans == []
            assert api.stop() == 0
        names = {span.name for span in collector.spans}
    assert names >= {"POST /predict", "inference", "prediction log write"}


def test_a_collector_that_never_answers_delays_nothing(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(100)
        port = silent.getsockname()[1]
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with Api(tmp_path, **settings) as api:
            slowest = 0.0
            end = time.monotonic() + 4
            while time.monotonic() < end:
                began = time.monotonic()
                api.post("/predict", golden("housing"))
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.02)  # other tests run beside this one
            began = time.monotonic()
            assert api.stop() == 0
            stopping = time.monotonic() - began
        assert slowest < 1
        assert stopping < 9
        assert api.output().count("Failed to export") == 1
