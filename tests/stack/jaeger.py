"""Read traces with the HTTP API of Jaeger."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.stack.engine import Stack, eventually

CALLER = "b7ad6b7169203331"
SPANS_SECONDS = 30  # they are sent every five seconds


@dataclass(frozen=True)
class Span:
    """One span, with the attributes of its service in `resource`."""

    id: str
    name: str
    parent: str
    service: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


def new_trace() -> tuple[str, str]:
    """Return the id of a trace and the header by which a client continues it."""
    trace = uuid4().hex
    return trace, f"00-{trace}-{CALLER}-01"


def spans(stack: Stack, trace: str) -> dict[str, Span]:
    """Return a trace's spans by service and name, of which each is there once."""
    (stored,) = stack.ask("JAEGER", f"/api/traces/{trace}")["data"]
    by_name = {}
    for content in stored["spans"]:
        process = stored["processes"][content["processID"]]
        span = _span(content, process)
        service = span.service.removeprefix("mlops-")
        name = f"{service}: {span.name}"
        assert name not in by_name, f"two spans have the name {name}"
        by_name[name] = span
    return by_name


def wait_for(stack: Stack, trace: str, names: set[str]) -> dict[str, Span]:
    """Wait until a trace is complete, and return its spans as `spans` does."""

    def complete() -> dict[str, Span] | None:
        by_name = spans(stack, trace)
        return by_name if by_name.keys() == names else None

    return eventually(
        complete,
        SPANS_SECONDS,
        f"the spans {sorted(names)}",
    )


def _span(content: dict[str, Any], process: dict[str, Any]) -> Span:
    parent = ""
    for reference in content["references"]:
        if reference["refType"] == "CHILD_OF":
            parent = reference["spanID"]
    return Span(
        id=content["spanID"],
        name=content["operationName"],
        parent=parent,
        service=process["serviceName"],
        attributes=_tags(content),
        resource=_tags(process),
    )


def _tags(tagged: dict[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag["value"] for tag in tagged["tags"]}
