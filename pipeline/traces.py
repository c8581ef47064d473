"""Traces of the pipeline's commands, where `OTEL_EXPORTER_OTLP_ENDPOINT` names a
collector.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span

from core import tracing


@contextmanager
def command(name: str, tasks: list[str]) -> Iterator[Span]:
    """Trace a command as a span, a child of the one that `TRACEPARENT` names if it is
    set.

    Shells and CI systems hand a trace on by the variables `TRACEPARENT` and
    `TRACESTATE`.
    """
    names = ("traceparent", "tracestate")
    parent = {
        key: os.environ[key.upper()] for key in names if key.upper() in os.environ
    }
    about = {"tasks": tasks} if tasks else {}
    with (
        tracing.exporting("mlops-pipeline", parent),
        tracing.span(f"pipeline {name}", about) as span,
    ):
        yield span
