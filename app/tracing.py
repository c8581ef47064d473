"""Traces by OpenTelemetry: on where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

FastAPI makes the exporter and the span of a request; what is here makes those within. The trainer
uses it too. Off, nothing of OpenTelemetry's SDK is imported.
"""

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.context import Context
from starlette.types import Scope

from app.proxy import route_path

ON = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
TRACER = trace.get_tracer("mlops")
QUERY = ("limit", "task")  # the parameters that there are
NOTHING = nullcontext(trace.INVALID_SPAN)
_spoke = 0.0


def telemetry(service: str, but: tuple[str, ...]) -> TelemetryConfig:
    """Return what FastAPI is to trace: all but the paths that begin with one of `but`."""
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    # For a batch; a process that ends waits for the five that there can be, and not for long.
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter").addFilter(_seldom)
    # Operation spans would be four a request instead of one.
    return {
        **{"tracing": ON, "auto_configure": ON, "operation_spans": False},
        **{"metrics": False, "logs": False},
        "exclude": lambda scope: route_path(scope).startswith(but),
    }


def span(
    name: str, about: dict[str, Any], rows: int = 0, parent: Context | None = None
) -> AbstractContextManager[trace.Span]:
    """Return a span to enter; its parent is the one around it if none is given."""
    if not ON:
        return NOTHING
    about = about | {"rows": rows} if rows else about
    # An error is in the log: a stack here would cost a millisecond a request that is refused.
    return TRACER.start_as_current_span(name, parent, attributes=about, record_exception=False)


def ids() -> dict[str, str] | None:
    """Return the id of the trace around, for a log line or an exemplar, if it is recorded."""
    if not ON or not (around := trace.get_current_span()).is_recording():
        return None
    return {"trace_id": trace.format_trace_id(around.get_span_context().trace_id)}


def mark(scope: Scope) -> None:
    """Tell the gateway of the trace, and the request's span of a route not chosen by FastAPI."""
    if ON:
        scope["trace"] = ids()
        if scope.get("query_string"):
            # FastAPI notes all of it; what a client thinks up may be a key.
            asked = parse_qsl(scope["query_string"].decode("latin-1"))
            known = urlencode([pair for pair in asked if pair[0] in QUERY])
            trace.get_current_span().set_attribute("url.query", known)
        if route := scope.get("route"):
            trace.get_current_span().update_name(f"{scope['method']} {route.path}")
            trace.get_current_span().set_attribute("http.route", route.path)


def _seldom(record: logging.LogRecord) -> bool:
    """Let one record a minute pass: with the collector away there are two for each batch."""
    global _spoke
    if passes := record.created - _spoke > 60:
        _spoke = record.created
    return passes
