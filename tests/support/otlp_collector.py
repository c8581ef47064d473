"""A collector that receives spans from OpenTelemetry's exporters over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.support.waiting import wait_until

ERROR = trace_pb2.Status.STATUS_CODE_ERROR
SERVER = trace_pb2.Span.SPAN_KIND_SERVER


@dataclass(frozen=True)
class Span:
    """One span as it came, its ids in hexadecimal digits."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    failed: bool
    nanoseconds: int
    attributes: dict[str, Any] = field(hash=False)
    links: tuple[tuple[str, str], ...]
    resource: dict[str, Any] = field(hash=False)


class Collector(ThreadingHTTPServer):
    """Listens on a port of its own, at an address of this machine."""

    def __init__(self, address: str) -> None:
        self.spans: list[Span] = []
        super().__init__((address, 0), _Handler)
        self.settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}:{self.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def wait_for(self, name: str, **attributes: Any) -> Span:
        """Wait for a span of a name with these attributes, and return the last one."""
        matches: list[Span] = []

        def has_arrived() -> bool:
            matches.clear()
            for span in self.spans:
                has_attributes = attributes.items() <= span.attributes.items()
                if span.name == name and has_attributes:
                    matches.append(span)
            return bool(matches)

        wait_until(has_arrived)
        return matches[-1]

    def children(self, parent: Span) -> dict[str, Span]:
        """Return the spans right under one, by name."""
        return {
            s.name: s
            for s in self.spans
            if (s.trace, s.parent) == (parent.trace, parent.id)
        }


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if (self.path, self.headers["Content-Type"]) != (
            "/v1/traces",
            "application/x-protobuf",
        ):
            self.send_error(404)
            return
        self.server.spans += _spans(ExportTraceServiceRequest.FromString(content))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for span in (span for scope in group.scope_spans for span in scope.spans):
            yield Span(
                resource["service.name"],
                span.name,
                span.trace_id.hex(),
                span.span_id.hex(),
                span.parent_span_id.hex(),
                span.kind,
                span.status.code == ERROR,
                span.end_time_unix_nano - span.start_time_unix_nano,
                _plain(span.attributes),
                tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
                resource,
            )


def _plain(attributes: Any) -> dict[str, Any]:
    def value(given: Any) -> Any:
        kind = given.WhichOneof("value")
        if kind == "array_value":
            return [value(item) for item in given.array_value.values]
        return getattr(given, kind)

    return {attribute.key: value(attribute.value) for attribute in attributes}


@contextmanager
def collecting(address: str = "127.0.0.1") -> Iterator[Collector]:
    """Run a collector for as long as the block does."""
    with Collector(address) as collector:
        threading.Thread(
            target=collector.serve_forever, args=(0.01,), daemon=True
        ).start()
        yield collector
        collector.shutdown()
