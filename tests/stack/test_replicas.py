"""Replicas of the API that come, share the load and go, behind the proxy."""

from collections.abc import Iterator

import pytest

from tests.stack.engine import Stack, docker, eventually
from tests.stack.load import CLIENTS, Load
from tools.documents import stack as documents
from tools.documents.rows.containers import two_replicas

SHARE_SECONDS = 5  # after the replica is healthy


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
        (added,) = replicas(stack) - pair
        eventually(
            lambda: docker("logs", added).count('"/predict/iris"') > 100,
            SHARE_SECONDS,
            "the third replica answers predictions",
        )
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


def test_only_requests_in_its_hands_are_lost_when_a_replica_is_killed(
    stack: Stack, record: bytes, pair: set[str]
) -> None:
    one, _ = pair
    with Load(stack, record) as load:
        load.await_more(200)
        docker("kill", one)
        load.await_more(1000)
    load.print_counts()
    assert len(load.failures) <= CLIENTS, load.failures
