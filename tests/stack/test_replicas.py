"""Replicas of the API that come, share the load and go, behind the proxy."""

import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.stack.engine import Stack, docker, eventually
from tests.stack.load import CLIENTS, HEADERS, PATH, Load
from tools.documents import stack as documents
from tools.documents.rows.containers import two_replicas

# After the replica is healthy. It takes less than five, unless the machine is busy.
SHARE_SECONDS = 60


@pytest.fixture(scope="module")
def one_afterwards(stack: Stack) -> Iterator[None]:
    """Return to one replica after the last of these tests."""
    yield
    stack.scale(1)


@pytest.fixture
def pair(stack: Stack, one_afterwards: None) -> set[str]:
    """Run two replicas and return their ids."""
    stack.scale(2)
    return replicas(stack)


def replicas(stack: Stack) -> set[str]:
    """Return the ids of the containers of the API."""
    return {container["Id"] for container in stack.containers("mlops-api")}


def predictions(replica: str) -> int:
    """Return how many predictions a replica has logged."""
    return docker("logs", replica).count(f'"{PATH}"')


def test_no_request_is_lost_when_a_replica_comes_and_goes(
    stack: Stack, record: bytes, documented: documents.Stack
) -> None:
    """The commands are those of row 2 of the table in `docs/coming-from.md`."""
    with Load(stack, record) as load:
        load.await_more(200)
        two_replicas(documented)
        load.await_more(200)
    load.print_counts()
    assert load.failures == []
    assert len(replicas(stack)) == 1


@pytest.mark.slow
def test_a_third_replica_gets_its_share_of_open_connections(
    stack: Stack, record: bytes, pair: set[str]
) -> None:
    with Load(stack, record) as load:
        load.await_more(100)
        stack.scale(3)
        began = time.monotonic()
        (added,) = replicas(stack) - pair
        eventually(
            lambda: predictions(added) > 100,
            SHARE_SECONDS,
            "the third replica answers predictions",
        )
        print(f"\nits share after {time.monotonic() - began:.1f} s")
    assert load.failures == []


def test_replicas_share_the_port(stack: Stack, pair: set[str]) -> None:
    eventually(
        lambda: stack.targets()["mlops-api"] == ["up", "up"],
        60,
        "Prometheus discovers both replicas",
    )
    second_log = stack.checkout / "logs" / "api-2.log"
    eventually(
        second_log.is_file,
        10,
        "the second replica has a log of its own",
    )
    manifest = stack.manifest("iris")
    request_ids = set()
    for _ in range(20):
        answer = stack.predict(manifest)
        request_ids.add(answer["request_id"])

    def shares() -> list[int]:
        counts = []
        for replica in pair:
            log = docker("logs", replica)
            count = 0
            for request_id in request_ids:
                count += f'"{request_id}"' in log
            counts.append(count)
        return counts

    eventually(
        lambda: shares() == [10, 10],
        10,
        "each replica answered half of them",
    )


def begin_request(stack: Stack, record: bytes) -> HTTPConnection:
    """Return a connection that has been used once and has sent the headers of a request."""
    connection = HTTPConnection("127.0.0.1", stack.ports["API"], timeout=60)
    connection.request("POST", PATH, record, HEADERS)
    assert connection.getresponse().read()
    connection.putrequest("POST", PATH)
    for name, value in HEADERS.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(record)))
    connection.endheaders()
    return connection


def test_no_request_is_lost_when_a_replica_is_killed_before_the_bodies_arrive(
    stack: Stack, record: bytes, pair: set[str]
) -> None:
    """httpx, requests and Python's own client send headers and body one by one."""
    one, other = pair
    with Load(stack, record):
        eventually(
            lambda: predictions(one) and predictions(other),
            60,
            "both replicas answer predictions",
        )
    connections = [begin_request(stack, record) for _ in range(CLIENTS)]
    docker("kill", one)
    for connection in connections:
        with closing(connection):
            connection.send(record)
            assert connection.getresponse().status == 200


def test_no_request_is_lost_when_a_replica_is_killed_under_load(
    stack: Stack, record: bytes, pair: set[str]
) -> None:
    one, _ = pair
    with Load(stack, record) as load:
        load.await_more(200)
        docker("kill", one)
        load.await_more(1000)
    load.print_counts()
    assert load.failures == []
