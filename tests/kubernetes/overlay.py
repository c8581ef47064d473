"""Overlays on top of those of the project, in a copy of the folders that they use."""

import shutil
from pathlib import Path

from tests.paths import ROOT

FOLDERS = ("deployment/kubernetes", "monitoring/grafana", "monitoring/prometheus")
ORIGIN = "mlops-test-origin"
# The Git server of the tests has another port than the one that the policies allow.
POLICY = f"""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{ name: origin }}
spec:
  podSelector:
    matchExpressions:
      - key: app.kubernetes.io/name
        operator: In
        values: [mlflow-server, trainer]
  policyTypes: [Egress]
  egress:
    - to:
        - namespaceSelector:
            matchLabels: {{ kubernetes.io/metadata.name: {ORIGIN} }}
      ports: [{{ port: 9418 }}]
"""
# No pod of Grafana is started, so that no image comes from a registry.
KUSTOMIZATION = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: mlops
resources: [../small, ../../optional/training, ../../optional/cluster, origin.yaml]
replicas:
  - name: grafana
    count: 0
configMapGenerator:
  - name: repository
    behavior: merge
    literals:
      - REPOSITORY_URL=git://origin.{ORIGIN}/origin.git
  - name: training
    behavior: merge
    literals:
      - REPOSITORY_URL=ssh://root@origin.{ORIGIN}/srv/origin.git
      - MLOPS_TASKS=iris
  - name: passwd # an image of PostgreSQL from Debian's package has another user
    literals:
      - passwd=postgres:x:999:999::/var/lib/postgresql:/bin/sh
patches:
  - target: {{ kind: Deployment, name: postgres }}
    patch: |-
      - op: add
        path: /spec/template/spec/volumes/-
        value: {{ name: passwd, configMap: {{ name: passwd }} }}
      - op: add
        path: /spec/template/spec/containers/0/volumeMounts/-
        value: {{ name: passwd, mountPath: /etc/passwd, subPath: passwd }}
"""


def write(checkout: Path, kustomization: str, **files: str) -> Path:
    """Write an overlay into a copy of the manifests and return its folder."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, checkout / folder, dirs_exist_ok=True)
    overlay = checkout / "deployment" / "kubernetes" / "overlays" / "own"
    overlay.mkdir(exist_ok=True)
    (overlay / "kustomization.yaml").write_text(kustomization, "utf-8")
    for name, text in files.items():
        (overlay / f"{name}.yaml").write_text(text, "utf-8")
    return overlay


def write_for_tests(checkout: Path, name: str) -> Path:
    """Write the overlay whose repository is the one in the tests' cluster.

    Args:
        name: the overlay that it is built on.
    """
    kustomization = KUSTOMIZATION.replace("../small", f"../{name}")
    return write(checkout, kustomization, origin=POLICY)
