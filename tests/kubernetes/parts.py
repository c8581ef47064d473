"""The parts of Kubernetes itself that the tests kill and start again.

How, depends on the cluster. `kind` has commands of its own; whoever names another cluster
gives them in MLOPS_KUBE_KILL and MLOPS_KUBE_START: lines for a shell, in which PART is
the name of the part.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.kubernetes import kind
from tests.kubernetes.cluster import Cluster
from tests.support.waiting import wait_until

KUBELET = "kubelet"
PARTS = (KUBELET, "apiserver", "etcd")
KILL = "MLOPS_KUBE_KILL"
START = "MLOPS_KUBE_START"
READY_SECONDS = 180


@dataclass(frozen=True)
class Parts:
    """The parts of a cluster.

    Attributes:
        kill: the line for a shell that kills a part, which then stays away.
        start: the line that starts it again.
    """

    cluster: Cluster
    kill: str
    start: str

    @contextmanager
    def away(self, part: str) -> Iterator[None]:
        """Kill a part, and start it again after the block."""
        run(self.kill, part)
        try:
            yield
        finally:
            run(self.start, part)
            wait_until(self._is_ready, READY_SECONDS, 1)

    def _is_ready(self) -> bool:
        """Return whether the API server answers, and every node is ready."""
        ready = ("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=5s")
        if self.cluster.run("get", "--raw", "/readyz").returncode:
            return False
        return self.cluster.run(*ready).returncode == 0


def of(cluster: Cluster) -> Parts:
    """Return the parts of the cluster of the tests; skip the test if none may be killed."""
    if os.environ.get("MLOPS_KUBE_CONTEXT") == kind.WANTED:
        return Parts(cluster, kind.KILL, kind.START)
    kill = os.environ.get(KILL)
    start = os.environ.get(START)
    if not (kill and start):
        pytest.skip(f"{KILL} and {START} do not say how to kill parts of this cluster")
    return Parts(cluster, kill, start)


def run(line: str, part: str) -> None:
    """Run a line of a shell for a part."""
    done = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"PART": part},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{line}:\n{done.stdout}{done.stderr}"
