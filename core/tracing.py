"""Traces by OpenTelemetry: on where `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

FastAPI makes the exporter and the span of a request; what is here makes those within.
The trainer and the pipeline's commands use it too. Off, nothing of OpenTelemetry's SDK
is imported.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach
from starlette.types import Scope

from core.asgi import route_path
from core.release import environment, version

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

TRACER = trace.get_tracer("mlops")
QUERY = ("limit", "task")  # the parameters that there are
NOTHING = nullcontext(trace.INVALID_SPAN)
_spoke = 0.0


@cache
def on() -> bool:
    """Tell whether a collector is named: what the environment says when it is first
    asked.
    """
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def telemetry(service: str, but: tuple[str, ...]) -> "TelemetryConfig":
    """Return what FastAPI is to trace: all but the paths that begin with one of `but`."""
    _configure(service)
    # Operation spans would be four a request instead of one.
    return {
        **{"tracing": on(), "auto_configure": on(), "operation_spans": False},
        **{"metrics": False, "logs": False},
        "exclude": lambda scope: route_path(scope).startswith(but),
    }


@contextmanager
def exporting(service: str, parent: Mapping[str, str]) -> Iterator[None]:
    """Send the spans of a process that is no server, all of them before it ends.

    Args:
        parent: the trace that they continue, as the headers `traceparent` and
            `tracestate`.
    """
    if not on():
        yield
        return
    _configure(service)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    token = attach(propagate.extract(parent))
    try:
        yield
    finally:
        detach(token)
        provider.shutdown()


def headers() -> dict[str, str]:
    """Return what tells another process, or a service, of the trace around."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def span(
    name: str, about: dict[str, Any], rows: int = 0, parent: Context | None = None
) -> AbstractContextManager[trace.Span]:
    """Return a span to enter; its parent is the one around it if none is given."""
    if not on():
        return NOTHING
    about = about | {"rows": rows} if rows else about
    # An error is in the log: a stack here would cost a millisecond a request that is
    # refused.
    return TRACER.start_as_current_span(
        name, parent, attributes=about, record_exception=False
    )


def ids() -> dict[str, str] | None:
    """Return the id of the trace around, for a log line or an exemplar, if it is
    recorded.
    """
    if not on() or not (around := trace.get_current_span()).is_recording():
        return None
    return {"trace_id": trace.format_trace_id(around.get_span_context().trace_id)}


def mark(scope: Scope) -> None:
    """Tell the gateway of the trace, and the request's span of a route not chosen by
    FastAPI.
    """
    if on():
        scope["trace"] = ids()
        if scope.get("query_string"):
            # FastAPI notes all of it; what a client thinks up may be a key.
            asked = parse_qsl(scope["query_string"].decode("latin-1"))
            known = urlencode([pair for pair in asked if pair[0] in QUERY])
            trace.get_current_span().set_attribute("url.query", known)
        if route := scope.get("route"):
            trace.get_current_span().update_name(f"{scope['method']} {route.path}")
            trace.get_current_span().set_attribute("http.route", route.path)


def _configure(service: str) -> None:
    """Set what the SDK reads from the environment, but nothing that a person has set."""
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    # For a batch; a process that ends waits for the five that there can be, and not for
    # long.
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    about = {"service.version": version(), "deployment.environment.name": environment()}
    told = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    known = {pair.partition("=")[0].strip() for pair in told.split(",")}
    more = [f"{key}={quote(value)}" for key, value in about.items() if key not in known]
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = ",".join([told, *more] if told else more)
    logging.getLogger(
        "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    ).addFilter(_seldom)


def _seldom(record: logging.LogRecord) -> bool:
    """Let one record a minute pass: with the collector away there are two for each
    batch.
    """
    global _spoke
    if passes := record.created - _spoke > 60:
        _spoke = record.created
    return passes
