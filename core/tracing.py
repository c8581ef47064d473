"""OpenTelemetry traces, switched on by `OTEL_EXPORTER_OTLP_ENDPOINT`.

FastAPI creates the exporter and the span of each request; this module creates the spans
within it. The worker and the pipeline's commands use it too. While tracing is off,
nothing of the OpenTelemetry SDK is imported.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach

from core.asgi import Scope, route_path
from core.release import environment, version

TRACER = trace.get_tracer("mlops")
# Query parameters that may be recorded; a client can put anything else there.
RECORDED_PARAMETERS = ("limit", "task")
# The SDK's own default is 10 seconds, and a process sends up to five batches as it ends.
EXPORT_TIMEOUT_SECONDS = "1"
# The collector's absence is logged at most once in this many seconds.
WARNING_INTERVAL_SECONDS = 60
NO_SPAN = nullcontext(trace.INVALID_SPAN)
EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_last_warning = 0.0


@cache
def on() -> bool:
    """Return whether a collector is configured; the first call reads the environment."""
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))


def telemetry(service: str, excluded: tuple[str, ...]) -> Any:
    """Return the `telemetry` argument of FastAPI, its `TelemetryConfig`.

    Args:
        service: the service's name in traces.
        excluded: prefixes of the paths that are not traced.
    """
    _configure(service)

    def is_excluded(scope: Scope) -> bool:
        return route_path(scope).startswith(excluded)

    return {
        "tracing": on(),
        "auto_configure": on(),
        # They would make four spans of a request instead of one.
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "exclude": is_excluded,
    }


@contextmanager
def exporting(service: str, parent: Mapping[str, str]) -> Iterator[None]:
    """Export the spans of a process that is not a server, all of them before it ends.

    Args:
        service: the service's name in traces.
        parent: the trace to continue, as the headers `traceparent` and `tracestate`.
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
    """Return the headers that hand the current trace to another process or service."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


def span(
    name: str,
    attributes: dict[str, Any],
    rows: int = 0,
    parent: Context | None = None,
) -> AbstractContextManager[trace.Span]:
    """Return a span to enter.

    Args:
        name: the span's name.
        attributes: its attributes.
        rows: how many rows it works on; an attribute unless it is 0.
        parent: the context of the parent span; by default the current span.
    """
    if not on():
        return NO_SPAN
    if rows:
        attributes = attributes | {"rows": rows}
    # Errors are in the log; recording a stack trace would add a millisecond to every
    # refused request.
    return TRACER.start_as_current_span(
        name, parent, attributes=attributes, record_exception=False
    )


def ids() -> dict[str, str] | None:
    """Return the current trace's ID for a log line or an exemplar, if it is recorded."""
    if not on():
        return None
    current = trace.get_current_span()
    if not current.is_recording():
        return None
    return {"trace_id": trace.format_trace_id(current.get_span_context().trace_id)}


def mark(scope: Scope) -> None:
    """Complete the span of a request that FastAPI did not route, and note its trace ID.

    The ID goes to `scope["trace"]`, where the outermost middleware reads it.
    """
    if not on():
        return
    scope["trace"] = ids()
    current = trace.get_current_span()
    if scope.get("query_string"):
        # FastAPI records the whole query, and clients put API keys into it.
        pairs = parse_qsl(scope["query_string"].decode("latin-1"))
        recorded = [pair for pair in pairs if pair[0] in RECORDED_PARAMETERS]
        current.set_attribute("url.query", urlencode(recorded))
    if route := scope.get("route"):
        current.update_name(f"{scope['method']} {route.path}")
        current.set_attribute("http.route", route.path)


def _configure(service: str) -> None:
    """Set the SDK's environment variables, but none that the user has set."""
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", EXPORT_TIMEOUT_SECONDS)
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = _resource_attributes()
    logging.getLogger(EXPORTER).addFilter(_is_due)


def _resource_attributes() -> str:
    """Return the user's resource attributes, completed by release and environment."""
    defaults = {
        "service.version": version(),
        "deployment.environment.name": environment(),
    }
    configured = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    pairs = []
    if configured:
        pairs.append(configured)
    names = set()
    for pair in configured.split(","):
        name, _, _ = pair.partition("=")
        names.add(name.strip())
    for name, value in defaults.items():
        if name not in names:
            pairs.append(f"{name}={quote(value)}")
    return ",".join(pairs)


def _is_due(record: logging.LogRecord) -> bool:
    """Filter the exporter's warnings: without a collector it logs two for each batch."""
    global _last_warning
    due = record.created - _last_warning > WARNING_INTERVAL_SECONDS
    if due:
        _last_warning = record.created
    return due
