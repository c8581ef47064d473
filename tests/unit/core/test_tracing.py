"""What is told of a trace where it is on; all else of it is tested by real programs."""

import json
import logging
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import format_trace_id

from app.observability.access_log import JsonFormatter
from core import tracing


def on(patch: pytest.MonkeyPatch, provider: TracerProvider) -> None:
    patch.setattr(tracing, "on", lambda: True)
    patch.setattr(tracing, "TRACER", provider.get_tracer("tests"))


def record(created: float = 0.0) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": "something", "levelname": "WARNING"})
    made.created = created
    return made


def formatted() -> dict[str, Any]:
    """Return the line of a record."""
    line: dict[str, Any] = json.loads(JsonFormatter().format(record()))
    return line


def test_what_is_logged_within_a_span_names_its_trace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, TracerProvider())
    with tracing.span("outer", {}) as outer, tracing.span("inner", {"task": "iris"}, 3):
        expected = {"trace_id": format_trace_id(outer.get_span_context().trace_id)}
        assert tracing.ids() == expected
        assert expected.items() <= formatted().items()
    assert tracing.ids() is None
    assert "trace_id" not in formatted()


def test_a_trace_that_is_not_recorded_is_not_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on(monkeypatch, TracerProvider(sampler=ALWAYS_OFF))
    with tracing.span("outer", {}):
        assert tracing.ids() is None


def test_off_there_is_one_span_for_all_that_records_nothing() -> None:
    assert tracing.span("one", {}) is tracing.span("other", {"task": "iris"}, 3)
    with tracing.span("one", {}) as span:
        assert not span.is_recording() and tracing.ids() is None
    scope = {"route": "not looked at"}
    tracing.mark(scope)
    assert scope == {"route": "not looked at"}


def test_of_a_collector_that_is_away_is_told_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "_last_warning", 0.0)
    told = [tracing._is_due(record(1000.0 + second)) for second in range(0, 150, 10)]
    assert [place * 10 for place, passed in enumerate(told) if passed] == [0, 70, 140]
