"""What Jaeger has kept of a trace, asked by its HTTP API."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.stack.engine import Stack, eventually

CALLER = "b7ad6b7169203331"
SPANS_SECONDS = 30  # they are sent every five seconds


@dataclass(frozen=True)
class Span:
    """One span with what is known of its service."""

    id: str
    name: str
    parent: str
    service: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


def new_trace() -> tuple[str, str]:
    """Return the id of a trace and the header that hands it on, as a client in it sends
    them.
    """
    trace = uuid4().hex
    return trace, f"00-{trace}-{CALLER}-01"


def spans(stack: Stack, trace: str) -> dict[str, Span]:
    """Return a trace's spans by service and name, of which each is there once."""
    (found,) = stack.ask("JAEGER", f"/api/traces/{trace}")["data"]
    made = [
        _span(span, found["processes"][span["processID"]]) for span in found["spans"]
    ]
    by_name = {
        f"{span.service.removeprefix('mlops-')}: {span.name}": span for span in made
    }
    assert len(by_name) == len(made), sorted(span.name for span in made)
    return by_name


def wait_for(stack: Stack, trace: str, names: set[str]) -> dict[str, Span]:
    """Wait until a trace is whole, and return its spans as `spans` does."""

    def whole() -> dict[str, Span] | None:
        found = spans(stack, trace)
        return found if found.keys() == names else None

    made: dict[str, Span] = eventually(
        whole, SPANS_SECONDS, f"the spans {sorted(names)}"
    )
    return made


def _span(span: dict[str, Any], process: dict[str, Any]) -> Span:
    parents = [
        found["spanID"]
        for found in span["references"]
        if found["refType"] == "CHILD_OF"
    ]
    return Span(
        id=span["spanID"],
        name=span["operationName"],
        parent=parents[0] if parents else "",
        service=process["serviceName"],
        attributes={tag["key"]: tag["value"] for tag in span["tags"]},
        resource={tag["key"]: tag["value"] for tag in process["tags"]},
    )
