"""Overlays on top of `overlays/small`, in a copy of the folders that they use."""

import shutil
from pathlib import Path

from tests.paths import ROOT

FOLDERS = ("deployment/kubernetes", "monitoring/prometheus")
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
KUSTOMIZATION = f"""\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: mlops
resources: [../small, origin.yaml]
configMapGenerator:
  - name: repository
    behavior: merge
    literals:
      - REPOSITORY_URL=git://origin.{ORIGIN}/origin.git
"""


def write(checkout: Path, kustomization: str, **files: str) -> Path:
    """Write an overlay into a copy of the manifests and return its folder."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, checkout / folder, dirs_exist_ok=True)
    overlay = checkout / "deployment" / "kubernetes" / "overlays" / "own"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(kustomization, "utf-8")
    for name, text in files.items():
        (overlay / f"{name}.yaml").write_text(text, "utf-8")
    return overlay


def write_for_tests(checkout: Path) -> Path:
    """Write the overlay whose repository is the one in the tests' cluster."""
    return write(checkout, KUSTOMIZATION, origin=POLICY)
