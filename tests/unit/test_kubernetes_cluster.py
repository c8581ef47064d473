"""Dask in a cluster: its parts are those of Compose, and only those that train reach it."""

from itertools import product

import pytest

from tests.support import compose
from tests.support.kubernetes import (
    FOLDER,
    NAME,
    Resource,
    by_name,
    only_container,
    resources,
)

PART = FOLDER / "optional" / "cluster"
RESOURCES = list(resources(PART))
POLICIES = by_name(RESOURCES, "NetworkPolicy")
SCHEDULER = "dask-scheduler"
WORKER = "dask-worker"
# What trains; the others have the label that a client gets.
TRAINING = {"trainer", "training"}
each = pytest.mark.parametrize("name", [SCHEDULER, WORKER])


def ports(name: str) -> dict[str, int]:
    """Return the ports of a part by their names."""
    offered = {}
    for port in only_container(name)["ports"]:
        offered[port["name"]] = port["containerPort"]
    return offered


@each
def test_a_part_is_started_as_in_the_compose_file(name: str) -> None:
    expected = compose.SERVICES[name]
    arguments = expected["command"]
    started = only_container(name)
    assert started["command"] == expected["entrypoint"]
    assert started["args"][: len(arguments)] == arguments
    limits = expected["deploy"]["resources"]["limits"]
    assert started["resources"]["limits"] == {
        "cpu": limits["cpus"],
        "memory": limits["memory"],
    }


@each
def test_a_part_is_ready_when_it_is_healthy_in_compose(name: str) -> None:
    *_, port, path = compose.SERVICES[name]["healthcheck"]["test"]
    request = only_container(name)["readinessProbe"]["httpGet"]
    assert request["path"] == path
    assert ports(name)[request["port"]] == int(port)


def test_the_service_has_the_ports_of_the_scheduler() -> None:
    service = by_name(RESOURCES, "Service")[SCHEDULER]["spec"]
    assert service["selector"] == {NAME: SCHEDULER}
    offered = {port["targetPort"]: port["port"] for port in service["ports"]}
    assert offered == ports(SCHEDULER)


def test_a_worker_listens_on_the_ports_that_the_policies_allow() -> None:
    arguments = only_container(WORKER)["args"]
    offered = ports(WORKER)
    for option, name in (("--worker-port", "worker"), ("--nanny-port", "nanny")):
        value = arguments[arguments.index(option) + 1]
        assert int(value) == offered[name]


def connections(policy: str, direction: str, end: str) -> set[tuple[str, int]]:
    """Return the peers of a policy with their ports."""
    pairs = set()
    specification = POLICIES[policy]["spec"]
    for rule in specification[direction]:
        for peer in rule[end]:
            name = peer_name(peer)
            for port in rule["ports"]:
                pairs.add((name, port["port"]))
    return pairs


def peer_name(peer: Resource) -> str:
    """Return the service that a rule selects, or the label that it asks for."""
    (selector,) = peer.values()
    ((label, value),) = selector["matchLabels"].items()
    return value if label == NAME else label


def test_each_connection_is_allowed_at_both_of_its_ends() -> None:
    offered = ports(WORKER)
    of_worker = (offered["worker"], offered["nanny"])
    of_scheduler = [ports(SCHEDULER)["dask"]]
    to_workers = set(product([WORKER], of_worker))
    to_scheduler = set(product([SCHEDULER], of_scheduler))
    assert connections(SCHEDULER, "egress", "to") == to_workers
    assert connections(WORKER, "egress", "to") == to_workers | to_scheduler
    assert connections("dask-clients", "egress", "to") == to_scheduler
    to_worker = product([SCHEDULER, WORKER], of_worker)
    assert connections(WORKER, "ingress", "from") == set(to_worker)
    sources = [*TRAINING, WORKER, "access-dask-scheduler"]
    expected = product(sources, of_scheduler)
    assert connections(SCHEDULER, "ingress", "from") == set(expected)


def test_the_policy_for_clients_is_that_of_what_trains() -> None:
    selector = POLICIES["dask-clients"]["spec"]["podSelector"]
    (expression,) = selector["matchExpressions"]
    assert expression["key"] == NAME
    assert set(expression["values"]) == TRAINING


@each
def test_what_is_not_listed_is_refused(name: str) -> None:
    policy_types = POLICIES[name]["spec"]["policyTypes"]
    assert set(policy_types) == {"Ingress", "Egress"}
