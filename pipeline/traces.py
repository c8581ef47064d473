"""Traces of the pipeline's commands.

They are exported if `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span

from core import tracing

# By these variables, shells and CI systems propagate a trace to the programs they run.
PROPAGATED = ("TRACEPARENT", "TRACESTATE")


@contextmanager
def command(name: str, tasks: list[str]) -> Iterator[Span]:
    """Trace a command as a span; its parent is the span in `TRACEPARENT`, if set."""
    parent = {}
    for variable in PROPAGATED:
        if variable in os.environ:
            parent[variable.lower()] = os.environ[variable]
    attributes = {"tasks": tasks} if tasks else {}
    with (
        tracing.exporting("mlops-pipeline", parent),
        tracing.span(f"pipeline {name}", attributes) as span,
    ):
        yield span
