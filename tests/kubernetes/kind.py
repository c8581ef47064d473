"""A cluster of kind for the tests alone, with the images of this checkout.

kind runs a node of Kubernetes in a container of Docker: https://kind.sigs.k8s.io.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kubernetes import overlay
from tests.kubernetes.cluster import Cluster
from tests.paths import ROOT
from tests.support import compose

# What MLOPS_KUBE_CONTEXT is set to. kind itself names contexts `kind-` and a name.
WANTED = "kind"
NAME = "mlops-tests"
HERE = Path(__file__).parent
SERVICES = ("mlops-api", "mlflow-server", "trainer")
NAMES = ("mlops-api", "mlops-mlflow", "mlops-pipeline", overlay.ORIGIN)
IMAGES = [compose.local_image(name) for name in NAMES]
# How to kill a part of Kubernetes, and to start it again; see parts.py. kubelet is a
# service of systemd, and starts the others from the files of a folder.
NODE = f"{NAME}-control-plane"
FOLDER = "/etc/kubernetes"
KILL = f"""
if [ "$PART" = kubelet ]; then
  docker exec {NODE} sh -c 'pkill -KILL kubelet; systemctl stop kubelet'
else
  docker exec {NODE} sh -c "pkill -KILL $PART && mv {FOLDER}/manifests/*$PART.yaml {FOLDER}"
fi
"""
START = f"""
if [ "$PART" = kubelet ]; then
  docker exec {NODE} systemctl start kubelet
else
  docker exec {NODE} sh -c "mv {FOLDER}/*$PART.yaml {FOLDER}/manifests"
fi
"""
METRICS_API = "apiservice/v1beta1.metrics.k8s.io"


@contextmanager
def cluster(kubectl: Path, folder: Path) -> Iterator[Cluster]:
    """Create a cluster, and delete it afterwards.

    Args:
        kubectl: the program.
        folder: an empty folder, for the kubeconfig: the user's own stays as it is.
    """
    if shutil.which("kind") is None:
        pytest.exit("MLOPS_KUBE_CONTEXT is kind, which is not installed", 1)
    build_images()
    kubeconfig = folder / "kubeconfig"
    options = ("--name", NAME, "--kubeconfig", str(kubeconfig))
    try:
        run("kind", "create", "cluster", *options, "--wait", "3m")
        run("kind", "load", "docker-image", "--name", NAME, *IMAGES)
        running = Cluster(kubectl, f"kind-{NAME}", kubeconfig)
        add_metrics(running)
        yield running
    finally:
        run("kind", "delete", "cluster", *options)


def build_images() -> None:
    """Build the images as `docs/kubernetes.md` shows."""
    run("docker", "compose", "build", "--quiet", *SERVICES)
    dockerfile = str(HERE / "origin.Dockerfile")
    run("docker", "build", "--quiet", "-t", IMAGES[-1], "-f", dockerfile, str(HERE))


def add_metrics(running: Cluster) -> None:
    """Start what the autoscaler learns of CPU time from, which kind lacks."""
    running.kubectl("apply", "-f", str(HERE / "metrics-server.yaml"))
    running.kubectl("wait", "--for=condition=Available", METRICS_API, "--timeout=3m")


def run(*command: str) -> None:
    """Run a command in the checkout, without the settings of its `.env`."""
    environment = os.environ | {"COMPOSE_DISABLE_ENV_FILE": "true"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    called = " ".join(command)
    assert done.returncode == 0, f"{called}:\n{done.stdout}{done.stderr}"
