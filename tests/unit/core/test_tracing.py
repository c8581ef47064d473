"""The ID of a trace in logs; everything else is tested with real programs."""

import json
import logging

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import format_trace_id

from app.observability.access_log import JsonFormatter
from core import tracing
from tests.support.json_content import Json


def on(patch: pytest.MonkeyPatch, provider: TracerProvider) -> None:
    patch.setattr(tracing, "on", lambda: True)
    patch.setattr(tracing, "TRACER", provider.get_tracer("tests"))


def record(created: float = 0.0) -> logging.LogRecord:
    attributes = {
        "msg": "something",
        "levelname": "WARNING",
        "created": created,
    }
    return logging.makeLogRecord(attributes)


def formatted() -> Json:
    """Return the fields of a record's line in the log."""
    text = JsonFormatter().format(record())
    line: Json = json.loads(text)
    return line


def test_what_is_logged_within_a_span_names_its_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, TracerProvider())
    outer = tracing.span("outer", {})
    inner = tracing.span("inner", {"task": "iris"}, 3)
    with outer as span, inner:
        context = span.get_span_context()
        trace_id = format_trace_id(context.trace_id)
        assert tracing.ids() == {"trace_id": trace_id}
        assert formatted()["trace_id"] == trace_id
    assert tracing.ids() is None
    assert "trace_id" not in formatted()


def test_a_trace_that_is_not_recorded_is_not_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, TracerProvider(sampler=ALWAYS_OFF))
    with tracing.span("outer", {}):
        assert tracing.ids() is None


def test_without_tracing_one_span_that_records_nothing_serves_all() -> None:
    one = tracing.span("one", {})
    other = tracing.span("other", {"task": "iris"}, 3)
    assert one is other
    with one as span:
        assert not span.is_recording()
        assert tracing.ids() is None


def test_without_tracing_a_request_is_not_changed() -> None:
    scope = {"route": "not read"}
    tracing.mark(scope)
    assert scope == {"route": "not read"}


def test_a_missing_collector_is_logged_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "_last_warning", 0.0)
    logged = []
    for second in range(0, 150, 10):
        if tracing._is_due(record(1000.0 + second)):
            logged.append(second)
    assert logged == [0, 70, 140]
