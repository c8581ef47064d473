"""Parts of Kubernetes itself are killed under a steady load, and started again.

The databases of the stack are killed in test_stores_in_cluster.py.
"""

import json
import time

import pytest

from tests.kubernetes import mlflow_client, parts
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.detached_load import detached_load
from tests.kubernetes.mlflow_client import connected
from tests.kubernetes.parts import KUBELET, PARTS, Parts
from tests.kubernetes.stack import Stack
from tests.support.waiting import wait_until

# Shorter than the 40 s after which Kubernetes takes a node without kubelet for lost. The
# longer the API server is away, the longer its clients wait before they ask again: after
# 20 s, the controllers may ask so late that they take a node for lost which is not.
AWAY_SECONDS = {KUBELET: 20, "apiserver": 5, "etcd": 20}
LONGEST_PAUSE_SECONDS = 5


@pytest.fixture
def cluster_parts(cluster: Cluster) -> Parts:
    return parts.of(cluster)


def restarts(stack: Stack) -> dict[str, int]:
    """Return how often the containers of each pod have ended, without the API's pods.

    The autoscaler may add and remove the latter.
    """
    listed = json.loads(stack.kubectl("get", "pods", "-o", "json"))
    counts = {}
    for pod in listed["items"]:
        labels = pod["metadata"].get("labels", {})
        if labels.get("app.kubernetes.io/name") == "mlops-api":
            continue
        if pod["status"]["phase"] == "Running":
            statuses = pod["status"]["containerStatuses"]
            count = sum(status["restartCount"] for status in statuses)
            counts[pod["metadata"]["uid"]] = count
    return counts


def delete(stack: Stack, pod: str) -> None:
    """Delete a pod without waiting until it is gone."""
    stack.kubectl("delete", "pod", pod, "--wait=false")


def is_gone(stack: Stack, pod: str) -> bool:
    """Return whether a pod is no longer there."""
    return f"pod/{pod}" not in stack.kubectl("get", "pods", "-o", "name").split()


@pytest.mark.parametrize("part", PARTS)
def test_predictions_go_on_and_nothing_is_lost_while_a_part_is_away(
    stack: Stack, cluster_parts: Parts, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    stack.await_rollout()
    stack.await_replicas()
    with connected(stack, monkeypatch):
        run_id = mlflow_client.log_run()
    before = restarts(stack)
    assert before
    pod, *_ = stack.pods("mlops-api")
    with detached_load(stack) as counts:
        with cluster_parts.away(part):
            if part == KUBELET:  # What is asked for meanwhile is done afterwards.
                delete(stack, pod)
            time.sleep(AWAY_SECONDS[part])
        assert before.items() <= restarts(stack).items()
        if part != KUBELET:
            delete(stack, pod)
        wait_until(lambda: is_gone(stack, pod), 120, 1)
        stack.await_replicas()
    print(f"\n{part}: {counts}")
    assert counts["failures"] == []
    assert counts["longest_pause"] < LONGEST_PAUSE_SECONDS
    with connected(stack, monkeypatch) as client:
        mlflow_client.require_logged(client, run_id)
