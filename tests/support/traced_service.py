"""An API and a worker that send their spans to a collector."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.api_with_worker import api_with_worker
from tests.support.otlp_collector import Collector, Span
from tests.support.serving import Api, served_manifest
from tests.support.waiting import wait_until

# The trace context of a request that another service is in the middle of.
TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
CALLED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{CALLER}-00"}
RELEASE = {
    "MLOPS_REVISION": "0123456789abcdef0123456789abcdef01234567",
    "MLOPS_ENVIRONMENT": "a lab, room 3",
    "OTEL_RESOURCE_ATTRIBUTES": "team=blue",
}
# With this Python names each module that it imports.
IMPORTS_SHOWN = {"PYTHONPROFILEIMPORTTIME": "1"}


@contextmanager
def traced_service(folder: Path, collector: Collector) -> Iterator[Api]:
    """Start an API and a worker that send their spans to the collector."""
    settings = collector.settings | RELEASE
    with api_with_worker(folder, settings, settings) as api:
        yield api


def model_attributes(task: str, **others: Any) -> dict[str, Any]:
    """Return the attributes of a step in which a task's model is used."""
    model = served_manifest(task)
    attributes = {
        "task": task,
        "model_version": model["version"],
        "run_id": model["run_id"],
    }
    return attributes | others


def wait_for_spans(collector: Collector, count: int) -> None:
    """Wait until the trace of the caller has so many spans."""

    def complete() -> bool:
        spans = [span for span in collector.spans if span.trace == TRACE]
        return len(spans) == count

    wait_until(complete)


def called_span(collector: Collector) -> Span:
    """Return the span of the request that the caller sent."""
    return next(span for span in collector.spans if span.parent == CALLER)
