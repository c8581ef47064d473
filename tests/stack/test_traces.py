"""Traces out of containers: the images hold what they take, and Compose passes the variable on."""

import json
from collections.abc import Iterator

import pytest

from tests.otlp import Collector, collecting
from tests.serving import golden
from tests.stack.engine import PROJECT, Stack, docker, eventually

TRACED = ("mlops-api", "trainer")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def collector(stack: Stack) -> Iterator[Collector]:
    """A collector on this machine, which the API and the trainer send their spans to."""
    network = json.loads(docker("network", "inspect", f"{PROJECT}_default"))[0]
    with collecting(network["IPAM"]["Config"][0]["Gateway"]) as made:
        stack.environment[ENDPOINT] = made.settings[ENDPOINT]
        try:
            stack.up()
            yield made
        finally:
            del stack.environment[ENDPOINT]
            stack.up()


def test_an_explanation_is_one_trace_of_two_containers(stack: Stack, collector: Collector) -> None:
    stack.ask("API", "/explain/iris", golden("iris"))
    (span,) = eventually(
        lambda: [s for s in collector.spans if s.name.startswith("POST") and not s.parent],
        30,
        "the span of the API",
    )
    asked = collector.children(span)["explanation"]
    (served,) = eventually(lambda: list(collector.children(asked).values()), 30, "the trainer's")
    assert (span.service, served.service) == ("mlops-api", "mlops-trainer")
    assert set(collector.children(served)) == {"SHAP values"}


def test_without_a_collector_nothing_is_traced(stack: Stack) -> None:
    for service in TRACED:
        (container,) = stack.containers(service)
        # A name without a value is one that is passed on and not set.
        assert not [pair for pair in container["Config"]["Env"] if pair.startswith(f"{ENDPOINT}=")]
    assert "jaeger" not in stack.compose("config", "--services").split()
