"""An overlay in a cluster, with a Git server and a client beside it."""

import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.git import git
from tests.kubernetes import overlay
from tests.kubernetes.cluster import Cluster
from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.kubernetes import BASE, SERVICES
from tests.support.waiting import wait_until

HERE = Path(__file__).parent
NAMESPACE = "mlops"
CLIENT = "mlops-test-client"
ADAPTER = "mlops-test-adapter"
NAMESPACES = (NAMESPACE, CLIENT, ADAPTER, overlay.ORIGIN)
ADMIN_KEY = "a key for the tests"
SECRET = {
    "API_ADMIN_KEY": ADMIN_KEY,
    "PGPASSWORD": "a password for the tests",
    "AWS_ACCESS_KEY_ID": "mlflow",
    "AWS_SECRET_ACCESS_KEY": "a secret for the tests",
}
HOST = "mlops-api.mlops"
# Prints the status and the body of an answer. Arguments: host, path, body and key.
REQUEST = """
import http.client, sys
host, path, body, key = sys.argv[1:]
connection = http.client.HTTPConnection(host, 8000, timeout=60)
headers = {"Content-Type": "application/json", "X-API-Key": key, "Host": "mlops-api"}
connection.request("POST", path, body, headers)
answer = connection.getresponse()
content = answer.read().decode()
sys.stdout.write(f"{answer.status} {content}")
"""
# Prints the targets, host and port, that a pod cannot connect to. Arguments: the targets.
CONNECT = """
import socket, sys
for target in sys.argv[1:]:
    host, _, port = target.partition(":")
    address = socket.gethostbyname(host)
    try:
        socket.create_connection((address, int(port)), 3).close()
    except OSError:
        print(target)
"""
FIRST_PREDICTION_SECONDS = 60
REPLICAS = 2


class Stack:
    """The services that the tests use, from nothing until all of it is removed."""

    def __init__(self, cluster: Cluster, checkout: Path) -> None:
        self.cluster = cluster
        self._checkout = checkout
        self.overlay = overlay.write_for_tests(checkout, "small")
        self.seconds = 0.0  # until the first prediction
        self.warnings = ""  # of the cluster, about the overlay
        path = ROOT / "deployment" / "models" / "iris" / "manifest.json"
        manifest = json.loads(path.read_bytes())
        self.record = json.dumps(manifest["golden"]["request"])

    def require_free(self) -> None:
        """End all tests if the cluster has one of the namespaces already."""
        for name in NAMESPACES:
            done = self.cluster.run("get", "namespace", name)
            if done.returncode == 0:
                pytest.exit(f"the cluster already has a namespace {name}", 1)

    def start(self) -> None:
        """Start the helpers, push the checkout, and apply the overlay."""
        kubectl = self.cluster.kubectl
        kubectl("apply", "-f", str(HERE / "helpers.yaml"))
        for namespace, pod in ((overlay.ORIGIN, "origin"), (CLIENT, "client")):
            ready = ("--for=condition=Ready", f"pod/{pod}", "--timeout=60s")
            kubectl("wait", "-n", namespace, *ready)
        self.push(ROOT)
        self.apply()

    def apply(self) -> None:
        """Apply the overlay to a cluster without it, as the documentation shows."""
        kubectl = self.cluster.kubectl
        kubectl("apply", "-f", str(BASE / "namespace.yaml"))
        values = [f"--from-literal={key}={value}" for key, value in SECRET.items()]
        kubectl("-n", NAMESPACE, "create", "secret", "generic", "mlops", *values)
        begun = time.monotonic()
        applied = self.cluster.run("apply", "-k", str(self.overlay))
        assert applied.returncode == 0, applied.stderr
        self.warnings = applied.stderr
        wait_until(self.predicts, FIRST_PREDICTION_SECONDS, 0.5)
        self.seconds = time.monotonic() - begun
        self.await_rollout()

    def replace_by(self, name: str) -> None:
        """Remove the overlay, and start another one from nothing."""
        self.delete_overlay()
        self.overlay = overlay.write_for_tests(self._checkout, name)
        self.push(ROOT)
        self.apply()

    @contextmanager
    def changed(self, lines: str) -> Iterator[None]:
        """Apply the overlay with further lines for a block, and as it was after it."""
        folder = self.overlay.with_name("changed")
        shutil.copytree(self.overlay, folder, dirs_exist_ok=True)
        path = folder / "kustomization.yaml"
        text = path.read_text("utf-8")
        path.write_text(text + lines, "utf-8")
        self.cluster.kubectl("apply", "-k", str(folder))
        try:
            yield
        finally:
            self.cluster.kubectl("apply", "-k", str(self.overlay))
            self.await_rollout()

    def delete_overlay(self) -> None:
        """Delete the overlay as the documentation shows, if it is there."""
        options = ("--ignore-not-found", "--timeout=180s")
        self.cluster.kubectl("delete", "-k", str(self.overlay), *options)

    def volumes(self) -> list[str]:
        """Return the names of the volumes that the stack has claimed."""
        listed = json.loads(self.cluster.kubectl("get", "pv", "-o", "json"))
        names = []
        for volume in listed["items"]:
            if volume["spec"]["claimRef"]["namespace"] == NAMESPACE:
                names.append(volume["metadata"]["name"])
        return names

    def push(self, checkout: Path) -> str:
        """Push the commit of a checkout to the server's branch, and return it."""
        with self.cluster.forwarded(overlay.ORIGIN, "pod/origin", 9418) as port:
            url = f"git://127.0.0.1:{port}/origin.git"
            git(checkout, "push", "--quiet", "--force", url, "HEAD:refs/heads/main")
        return git(checkout, "rev-parse", "HEAD")

    def predicts(self) -> bool:
        """Return whether the client gets a prediction."""
        try:
            status, _ = self.post("/predict/iris", self.record)
        except AssertionError:
            return False
        return status == 200

    def post(self, path: str, body: str, key: str = "") -> tuple[int, Any]:
        """Send a request from the client's pod; return the status and the answer."""
        arguments = (HOST, path, body, key)
        output = self.cluster.python(CLIENT, "client", REQUEST, *arguments)
        status, _, text = output.partition(" ")
        assert text.strip(), f"{path} answers {status} without a body"
        return int(status), json.loads(text)

    def refused(self, namespace: str, pod: str, targets: Iterable[str]) -> set[str]:
        """Return the targets, each as `host:port`, that a pod cannot connect to."""
        output = self.cluster.python(namespace, pod, CONNECT, *targets)
        return set(output.split())

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the namespace of the stack, and return its output."""
        return self.cluster.kubectl("-n", NAMESPACE, *arguments)

    def await_rollout(self, *names: str) -> None:
        """Wait until some services, or all of Compose, are ready in their newest form."""
        for name in names or SERVICES:
            deployment = f"deployment/{name}"
            self.kubectl("rollout", "status", deployment, "--timeout=300s")

    def await_replicas(self) -> None:
        """Wait until two replicas of the API are ready, or more."""
        wait_until(lambda: len(self.pods("mlops-api")) >= REPLICAS, 120, 1)

    def evict(self, pod: str) -> str:
        """Evict a pod and return why that is refused, nothing if it is not."""
        metadata = {"name": pod, "namespace": NAMESPACE}
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": metadata,
        }
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
        text = json.dumps(eviction)
        done = self.cluster.run("create", "--raw", path, "-f", "-", text=text)
        return done.stderr if done.returncode else ""

    def pods(self, name: str) -> list[str]:
        """Return the names of a service's pods that are ready."""
        selector = f"app.kubernetes.io/name={name}"
        listed = self.cluster.kubectl(
            "get", "pods", "-n", NAMESPACE, "-l", selector, "-o", "json"
        )
        names = []
        for pod in json.loads(listed)["items"]:
            if is_ready(pod):
                names.append(pod["metadata"]["name"])
        return names

    @contextmanager
    def steady_load(self) -> Iterator[Json]:
        """Send predictions during a block, and fill in the counts after it."""
        counts: Json = {}
        code = (HERE / "steady_load.py").read_text("utf-8")
        command = ("exec", "-i", "-n", CLIENT, "client", "--", "python", "-c", code)
        arguments = (HOST, "/predict/iris", self.record)
        process = self.cluster.start(*command, *arguments)
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        try:
            yield counts
        finally:
            output, _ = process.communicate()
        counts.update(json.loads(output))

    def describe(self) -> str:
        """Return what helps to understand a failure."""
        texts = []
        for what in ("pods", "events"):
            texts.append(self.cluster.run("get", what, "-n", NAMESPACE).stdout)
        for name in SERVICES:
            logs = ("logs", f"deployment/{name}", "--all-containers", "--tail=40")
            done = self.cluster.run("-n", NAMESPACE, *logs)
            texts.append(f"--- {name}\n{done.stdout}{done.stderr}")
        return "\n".join(texts)

    def remove(self) -> None:
        """Remove all that the tests have created."""
        self.cluster.run("delete", "-k", str(self.overlay), "--ignore-not-found")
        self.cluster.run("delete", "namespace", *NAMESPACES, "--ignore-not-found")


def is_ready(pod: Json) -> bool:
    """Return whether a pod is ready and not about to end."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    conditions = {}
    for condition in pod["status"].get("conditions", []):
        conditions[condition["type"]] = condition["status"]
    return conditions.get("Ready") == "True"
