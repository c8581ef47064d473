"""kubectl and the schemas of Kubernetes, and a cluster if one is named on purpose.

`nox -s kubernetes` installs the programs. The tests in a cluster run only if
MLOPS_KUBE_CONTEXT names a context of the kubeconfig, or is `kind`, for a new cluster: no
test must ever write into the cluster that somebody happens to use.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kubernetes import kind
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.stack import Stack


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder with the programs of `requirements/kubernetes.txt`."""
    return Path(os.environ["KUBERNETES_PROGRAMS"])


@pytest.fixture(scope="session")
def kubectl(programs: Path) -> Path:
    """The client of Kubernetes, which contains kustomize."""
    return programs / "kubectl"


@pytest.fixture(scope="session")
def validate(programs: Path) -> Path:
    """The program that compares manifests with the schemas."""
    return programs / "kubernetes-validate"


@pytest.fixture(scope="session")
def node_packages() -> Path:
    """The folder with the schemas of Argo CD and Flux, which need Node."""
    if shutil.which("node") is None:
        pytest.skip("node is not on this machine")
    return Path(os.environ["KUBERNETES_NPM"])


@pytest.fixture(scope="session")
def cluster(
    kubectl: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """The cluster that somebody has named, or a new one."""
    context = os.environ.get("MLOPS_KUBE_CONTEXT")
    if not context:
        pytest.skip("MLOPS_KUBE_CONTEXT names no context of a cluster for tests")
    if context == kind.WANTED:
        with kind.cluster(kubectl, tmp_path_factory.mktemp("kind")) as created:
            yield created
    else:
        yield Cluster(kubectl, context)


@pytest.fixture(scope="session")
def stack(
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """Start everything in the cluster from nothing, and leave nothing behind."""
    running = Stack(cluster, tmp_path_factory.mktemp("checkout"))
    running.require_free()
    failed = request.session.testsfailed
    try:
        running.start()
        yield running
    except AssertionError:
        failed = -1
        raise
    finally:
        if request.session.testsfailed != failed:
            print(running.describe())
        running.remove()


@pytest.fixture(autouse=True)
def paths_that_windows_can_open() -> None:
    """Leave paths alone: these tests do not run on Windows."""
