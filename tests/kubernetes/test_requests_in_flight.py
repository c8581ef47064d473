"""The autoscaler by requests in progress, which a real prometheus-adapter serves."""

import json
from collections.abc import Iterator

import pytest

from tests.kubernetes.stack import ADAPTER, HERE, NAMESPACE, REPLICAS, Stack
from tests.support.kubernetes import FOLDER
from tests.support.waiting import wait_until

RULES = FOLDER / "optional" / "requests-in-flight" / "adapter-rules.yml"
MANIFEST = str(HERE / "adapter.yaml")
COMPONENT = "components: [../../optional/requests-in-flight]\n"
GROUP = "v1beta1.external.metrics.k8s.io"
METRIC = "mlops_api_requests_in_progress"
PATH = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/{METRIC}"
# A tenth of a request is reason enough for a replica, and CPU time is none.
BY_REQUESTS_ALONE = f"""
- op: test
  path: /spec/metrics/1/external/metric/name
  value: {METRIC}
- op: replace
  path: /spec/metrics/1/external/target/averageValue
  value: 100m
- op: remove
  path: /spec/metrics/0
- op: replace
  path: /spec/maxReplicas
  value: 4
- op: add
  path: /spec/behavior
  value:
    scaleDown:
      stabilizationWindowSeconds: 10
"""


@pytest.fixture
def adapter(stack: Stack) -> Iterator[None]:
    """Start prometheus-adapter with the rules of the component."""
    kubectl = stack.cluster.kubectl
    if stack.cluster.run("get", "apiservice", GROUP).returncode == 0:
        pytest.skip("something else in the cluster serves external metrics")
    try:
        kubectl("apply", "-f", MANIFEST)
        rules = f"--from-file=config.yaml={RULES}"
        kubectl("create", "configmap", "adapter", rules, "-n", ADAPTER)
        available = "--for=condition=Available"
        kubectl("wait", available, "deployment/adapter", "-n", ADAPTER, "--timeout=3m")
        yield
    finally:
        stack.cluster.run("delete", "-f", MANIFEST, "--ignore-not-found")


def served_value(stack: Stack) -> str:
    """Return the metric that the cluster's API serves, nothing if it serves none."""
    done = stack.cluster.run("get", "--raw", PATH)
    if done.returncode:
        return ""
    answer = json.loads(done.stdout)
    values = [item["value"] for item in answer["items"]]
    return " ".join(values)


def count(stack: Stack) -> int:
    """Return how many replicas are ready."""
    replicas = stack.pods("mlops-api")
    return len(replicas)


def test_replicas_follow_the_requests_in_progress_up_and_down(
    stack: Stack, adapter: None
) -> None:
    stack.await_replicas()
    with stack.changed(COMPONENT):
        wait_until(lambda: served_value(stack) == "0", pause=1)
        patch = ("hpa", "mlops-api", "--type=json", "-p", BY_REQUESTS_ALONE)
        stack.kubectl("patch", *patch)
        wait_until(lambda: count(stack) == REPLICAS, pause=1)
        with stack.steady_load() as counts:
            wait_until(lambda: count(stack) > REPLICAS, pause=1)
            assert served_value(stack) != "0"
        assert counts["failures"] == []
        wait_until(lambda: count(stack) == REPLICAS, pause=1)
        # Applied again, it is as the overlay says.
        stack.kubectl("delete", "hpa", "mlops-api")
