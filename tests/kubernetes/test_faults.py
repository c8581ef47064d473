"""What happens in a cluster when an overlay is wrong, or a node is taken away."""

from tests.kubernetes.stack import REPLICAS, Stack
from tests.support.compose import local_image
from tests.support.waiting import wait_until

IMAGE = local_image("mlops-api")
NO_IMAGE = """
images:
  - name: NAME
    newTag: sha-of-no-image
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: without-class, namespace: mlops }
spec:
  storageClassName: of-nobody
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 1Mi } }
"""
POD = """
apiVersion: v1
kind: Pod
metadata: { name: without-secret, namespace: mlops }
spec:
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: without-secret
      image: IMAGE
      imagePullPolicy: IfNotPresent
      envFrom: [{ secretRef: { name: of-nobody } }]
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: { drop: [ALL] }
"""


def messages(stack: Stack) -> str:
    """Return the messages of the namespace's events."""
    column = "custom-columns=MESSAGE:.message"
    return stack.kubectl("get", "events", "--output", column)


def test_an_image_that_is_not_there_leaves_the_old_replicas_in_service(
    stack: Stack,
) -> None:
    stack.await_replicas()
    name, _, _ = IMAGE.rpartition(":")
    image = f"{name}:sha-of-no-image"
    lines = NO_IMAGE.replace("NAME", name)
    with stack.changed(lines), stack.steady_load() as counts:
        wait_until(lambda: f'Failed to pull image "{image}"' in messages(stack))
        assert len(stack.pods("mlops-api")) >= REPLICAS
    assert counts["failures"] == []


def test_a_claim_that_no_class_serves_is_named_in_an_event(stack: Stack) -> None:
    stack.cluster.kubectl("apply", "-f", "-", text=CLAIM)
    try:
        reason = 'storageclass.storage.k8s.io "of-nobody" not found'
        wait_until(lambda: reason in messages(stack))
    finally:
        stack.kubectl("delete", "pvc/without-class", "--timeout=60s")


def test_a_secret_that_is_missing_is_named_in_an_event(stack: Stack) -> None:
    stack.cluster.kubectl("apply", "-f", "-", text=POD.replace("IMAGE", IMAGE))
    try:
        wait_until(lambda: 'secret "of-nobody" not found' in messages(stack))
    finally:
        stack.kubectl("delete", "pod/without-secret", "--grace-period=1")


def test_no_request_is_lost_while_a_node_is_drained(stack: Stack) -> None:
    stack.await_replicas()
    kubectl = stack.cluster.kubectl
    before = stack.pods("mlops-api")
    node = stack.kubectl("get", "pod", before[0], "-o", "jsonpath={.spec.nodeName}")
    selector = "--pod-selector=app.kubernetes.io/name=mlops-api"
    options = ("--delete-emptydir-data", "--timeout=30s")
    nodes = kubectl("get", "nodes", "-o", "name").splitlines()
    try:
        with stack.steady_load() as counts:
            drained = stack.cluster.run("drain", node, selector, *options)
            assert set(before) - set(stack.pods("mlops-api"))
            kubectl("uncordon", node)
            stack.await_replicas()
    finally:
        kubectl("uncordon", node)
    if len(nodes) == 1:
        # The new replicas have no node, so the budget keeps the last old one.
        assert "would violate the pod's disruption budget" in drained.stderr
    print(f"\n{counts['answered']} requests answered")
    assert counts["failures"] == []
    assert counts["answered"] > 100
