"""The small overlay in a real cluster, from nothing to nothing, in this order."""

import json
import urllib.parse
import urllib.request
from typing import Any

from tests.kubernetes import overlay
from tests.kubernetes.stack import (
    ADMIN_KEY,
    CLIENT,
    FIRST_PREDICTION_SECONDS,
    NAMESPACE,
    REPLICAS,
    Stack,
)
from tests.support.compose import local_image
from tests.support.waiting import wait_until

TARGETS = (
    "mlops-api.mlops:8000",
    "mlflow-server.mlops:5000",
    "mlflow-server.mlops:5001",
    "trainer.mlops:8001",
    "prometheus.mlops:9090",
    f"origin.{overlay.ORIGIN}:9418",
)
# What each pod may connect to, of all these targets.
ALLOWED = {
    (CLIENT, "client"): {TARGETS[0], TARGETS[5]},
    (overlay.ORIGIN, "origin"): set(),
    (NAMESPACE, "deployment/mlops-api"): {TARGETS[3]},
    (NAMESPACE, "deployment/mlflow-server"): {TARGETS[5]},
    (NAMESPACE, "deployment/trainer"): {TARGETS[1], TARGETS[5]},
}
# Low enough for a busy machine, on which no replica gets most of a core.
EARLIER = """
- op: replace
  path: /spec/metrics/0/resource/target/averageValue
  value: 100m
- op: replace
  path: /spec/maxReplicas
  value: 4
- op: add
  path: /spec/behavior
  value:
    scaleDown:
      stabilizationWindowSeconds: 10
"""
ROOT_POD = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": NAMESPACE},
        "spec": {
            "containers": [
                {
                    "name": "root",
                    "image": local_image("mlops-api"),
                    "securityContext": {"runAsUser": 0},
                }
            ]
        },
    }
)


def test_the_first_prediction_is_answered_within_a_minute(stack: Stack) -> None:
    print(f"\nfirst prediction after {stack.seconds:.1f} s")
    assert stack.seconds <= FIRST_PREDICTION_SECONDS


def test_the_cluster_warns_of_nothing(stack: Stack) -> None:
    # It warns of each Deployment whose pods it would refuse, also where none is started.
    assert stack.warnings == ""


def test_the_worker_explains_for_the_api(stack: Stack) -> None:
    status, answer = stack.post("/explain/iris", stack.record)
    assert status == 200, answer
    assert answer["values"]


def test_the_key_is_that_of_the_secret_and_a_model_comes_into_service_by_a_release(
    stack: Stack,
) -> None:
    body = json.dumps({"version": 1})
    status, _ = stack.post("/models/iris/load", body, "another key")
    assert status == 401
    status, answer = stack.post("/models/iris/load", body, ADMIN_KEY)
    assert status == 422
    assert "no model can be loaded here (Read-only file system)" in answer["detail"]


def test_prometheus_scrapes_every_replica_and_has_the_rules(stack: Stack) -> None:
    with stack.cluster.forwarded(NAMESPACE, "service/prometheus", 9090) as port:

        def scraped() -> bool:
            by_job: dict[str, int] = {}
            for series in query(port, "up == 1"):
                job = series["metric"]["job"]
                by_job[job] = by_job.get(job, 0) + 1
            replicas = len(stack.pods("mlops-api"))
            return by_job == {
                "mlops-api": replicas,
                "mlflow-server": 1,
                "prometheus": 1,
            }

        wait_until(scraped, 90, 2)
        alerts = query(port, 'ALERTS{alertname="Watchdog"}')
        assert len(alerts) == 1


def query(port: int, expression: str) -> list[Any]:
    """Return the series of an expression."""
    parameters = urllib.parse.urlencode({"query": expression})
    url = f"http://127.0.0.1:{port}/api/v1/query?{parameters}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        result: list[Any] = json.load(answer)["data"]["result"]
    return result


def test_no_request_is_lost_while_pods_are_replaced_deleted_and_evicted(
    stack: Stack,
) -> None:
    kubectl = stack.cluster.kubectl
    stack.await_replicas()
    before = set(stack.pods("mlops-api"))
    with stack.steady_load() as counts:
        kubectl("-n", NAMESPACE, "rollout", "restart", "deployment/mlops-api")
        stack.await_rollout()
        after = stack.pods("mlops-api")
        assert not before & set(after)
        kubectl("-n", NAMESPACE, "delete", "pod", after[0])
        stack.await_replicas()
        evict_all_but_the_last(stack)
        stack.await_replicas()
    answered = counts["answered"]
    failures = counts["failures"]
    print(f"\n{answered} requests answered, {len(failures)} failed")
    assert failures == []
    assert answered > 500


def evict_all_but_the_last(stack: Stack) -> None:
    """Evict every replica at once, as a drain does: all but the first are refused."""
    first, *others = stack.pods("mlops-api")
    assert stack.evict(first) == ""
    for pod in others:
        assert "would violate the pod's disruption budget" in stack.evict(pod)


def test_replicas_are_added_under_load_and_removed_after_it(stack: Stack) -> None:
    patch = ("hpa", "mlops-api", "--type=json", "-p", EARLIER)
    stack.kubectl("patch", *patch)
    try:
        with stack.steady_load() as counts:
            wait_until(lambda: len(stack.pods("mlops-api")) > REPLICAS, 180, 1)
        assert counts["failures"] == []
        wait_until(lambda: len(stack.pods("mlops-api")) == REPLICAS, 180, 1)
    finally:
        # Applied again, it is as the overlay says.
        stack.kubectl("delete", "hpa", "mlops-api")
        stack.cluster.kubectl("apply", "-k", str(stack.overlay))


def test_connections_that_no_policy_lists_are_refused(stack: Stack) -> None:
    for (namespace, target), allowed in ALLOWED.items():
        own = target.removeprefix("deployment/")
        others = [other for other in TARGETS if not other.startswith(own)]
        reached = set(others) - stack.refused(namespace, target, others)
        assert reached == allowed & set(others), target


def test_a_pod_that_asks_for_root_is_refused(stack: Stack) -> None:
    done = stack.cluster.run("apply", "-f", "-", text=ROOT_POD)
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr


def test_nothing_is_left_after_the_overlay_is_deleted(stack: Stack) -> None:
    stack.delete_overlay()
    done = stack.cluster.run("get", "namespace", NAMESPACE)
    assert done.returncode != 0
    wait_until(lambda: stack.volumes() == [], 60, 1)
    for kind in ("clusterrole", "clusterrolebinding", "priorityclass"):
        listed = stack.cluster.kubectl("get", kind, "-o", "name")
        assert "mlops" not in listed
