"""The network policies for Kubernetes: each connection is allowed at both of its ends."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.support.kubernetes import (
    BASE_RESOURCES,
    NAME,
    SERVICES,
    Resource,
    by_name,
    container_ports,
)

POLICIES = by_name(BASE_RESOURCES, "NetworkPolicy")
INSIDE = {
    ("mlops-api", "trainer", 8001),
    ("trainer", "mlflow-server", 5000),
    ("prometheus", "mlops-api", 8000),
    ("prometheus", "mlflow-server", 5001),
    ("grafana", "prometheus", 9090),
}
# By a label of their pod or of their namespace.
CLIENTS = {
    ("access-mlops-api", "mlops-api", 8000),
    ("access-mlflow-server", "mlflow-server", 5000),
    ("access-prometheus", "prometheus", 9090),
    ("access-grafana", "grafana", 3000),
}


class Connection(NamedTuple):
    """A connection that a policy allows."""

    source: str
    target: str
    port: int


def selected(policy: Resource) -> str:
    """Return the service that a policy is for."""
    name: str = policy["spec"]["podSelector"]["matchLabels"][NAME]
    return name


def peers(rule: Resource, direction: str) -> Iterator[tuple[str, str, int]]:
    """Go through the peers of a rule: kind, label or service, and port."""
    for peer in rule[direction]:
        for kind, selector in peer.items():
            ((label, value),) = selector["matchLabels"].items()
            for port in rule["ports"]:
                yield kind, value if label == NAME else label, port["port"]


def allowed(direction: str) -> set[Connection]:
    """Return the connections between services that rules of a direction allow."""
    connections = set()
    for name in SERVICES:
        policy = POLICIES[name]
        key = {"from": "ingress", "to": "egress"}[direction]
        for rule in policy["spec"].get(key, []):
            if direction not in rule:
                continue
            for _, peer, port in peers(rule, direction):
                ends = (peer, selected(policy))
                source, target = ends if direction == "from" else reversed(ends)
                connections.add(Connection(source, target, port))
    return connections


def test_all_that_is_not_listed_is_refused() -> None:
    specification = POLICIES["default"]["spec"]
    assert specification["podSelector"] == {}
    assert set(specification["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in specification
    (names,) = specification["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    for name in SERVICES:
        policy_types = POLICIES[name]["spec"]["policyTypes"]
        assert set(policy_types) == {"Ingress", "Egress"}
        assert selected(POLICIES[name]) == name


def test_services_may_connect_to_those_that_they_need() -> None:
    assert allowed("to") == INSIDE
    assert allowed("from") == INSIDE | CLIENTS


def test_a_client_is_allowed_by_its_pod_or_by_its_namespace() -> None:
    for label, target, _ in CLIENTS:
        kinds = set()
        for rule in POLICIES[target]["spec"]["ingress"]:
            for kind, peer, _ in peers(rule, "from"):
                if peer == label:
                    kinds.add(kind)
        assert kinds == {"podSelector", "namespaceSelector"}


def test_only_those_that_read_the_repository_reach_other_networks() -> None:
    outside = set()
    for name in SERVICES:
        for rule in POLICIES[name]["spec"].get("egress", []):
            if "to" not in rule:
                assert rule["ports"] == [{"port": 443}]
                outside.add(name)
    assert outside == {"mlflow-server", "trainer"}


def test_ports_are_those_of_the_containers() -> None:
    for connection in INSIDE | CLIENTS:
        _, target, port = connection
        assert port in container_ports(target).values()
