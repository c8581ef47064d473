"""What `kubectl kustomize` makes of the overlays, checked without a cluster."""

import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes import overlay
from tests.paths import ROOT
from tests.support.compose import local_image
from tests.support.json_content import Json
from tests.support.kubernetes import (
    OPTIONAL,
    SCALE,
    SMALL,
    Resource,
    by_name,
    kustomization,
    pod,
    read_all,
)

# `preStop.sleep` needs 1.30; the other one is the newest whose schemas there are.
VERSIONS = ("1.30", "1.37")
OWN_OVERLAY = re.compile(
    r"^ *```yaml\n( *# \S+/own/kustomization.yaml\n.*?)^ *```", re.M | re.S
)


def render(kubectl: Path, folder: Path) -> str:
    """Return the manifests of an overlay."""
    done = subprocess.run(
        [str(kubectl), "kustomize", str(folder)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def rendered(kubectl: Path) -> str:
    """The manifests of the small overlay."""
    return render(kubectl, SMALL)


@pytest.fixture(scope="session")
def items(rendered: str) -> list[Resource]:
    """The resources of the small overlay."""
    return read_all(rendered)


def faults(validate: Path, version: str, path: Path) -> str:
    """Return what the schemas of a version do not allow, nothing if they allow all."""
    command = [str(validate), "--strict", "-k", version, str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert (done.returncode != 0) == ("ERROR" in output), output
    return output if done.returncode else ""


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_have_the_schemas_of_the_oldest_and_the_newest_version(
    rendered: str, validate: Path, version: str, tmp_path: Path
) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(rendered, "utf-8")
    assert faults(validate, version, path) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("minReplicas: 2", "minReplicas: two"),
        ("automountServiceAccountToken", "automountToken"),
    ],
)
def test_the_schemas_refuse_a_wrong_type_and_an_unknown_key(
    rendered: str, validate: Path, tmp_path: Path, right: str, wrong: str
) -> None:
    assert right in rendered
    path = tmp_path / "all.yaml"
    path.write_text(rendered.replace(right, wrong), "utf-8")
    assert faults(validate, VERSIONS[-1], path)


def test_every_resource_is_in_the_namespace_and_part_of_the_project(
    items: list[Resource],
) -> None:
    for item in items:
        metadata = item["metadata"]
        assert metadata["labels"]["app.kubernetes.io/part-of"] == "mlops"
        if item["kind"] == "Namespace":
            assert metadata["name"] == "mlops"
        else:
            assert metadata["namespace"] == "mlops"


@pytest.fixture(scope="session")
def with_all_parts(kubectl: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The manifests of the small overlay with all that is optional."""
    content: Json = {"namespace": "mlops", "resources": ["../small"]}
    for part in OPTIONAL:
        is_component = kustomization(part)["kind"] == "Component"
        key = "components" if is_component else "resources"
        content.setdefault(key, []).append(f"../../optional/{part.name}")
    text = yaml.safe_dump(content)
    folder = overlay.write(tmp_path_factory.mktemp("optional"), text)
    return render(kubectl, folder)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_overlay_with_stores_has_the_schemas_of_both_versions(
    kubectl: Path, validate: Path, version: str, tmp_path: Path
) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(render(kubectl, SCALE), "utf-8")
    assert faults(validate, version, path) == ""


def test_with_stores_mlflow_keeps_nothing_in_files(kubectl: Path) -> None:
    items = read_all(render(kubectl, SCALE))
    volumes = by_name(items, "PersistentVolumeClaim")
    assert set(volumes) == {"grafana", "postgres", "prometheus", "s3"}
    server = by_name(items, "Deployment")["mlflow-server"]
    assert references(pod(server), "persistentVolumeClaim") == set()
    first = [container["name"] for container in pod(server)["initContainers"]]
    assert set(first) == {"checkout", "mlflow-schema"}


@pytest.mark.parametrize("version", VERSIONS)
def test_optional_parts_have_the_schemas_of_the_oldest_and_the_newest_version(
    with_all_parts: str, validate: Path, version: str, tmp_path: Path
) -> None:
    path = tmp_path / "all.yaml"
    path.write_text(with_all_parts, "utf-8")
    assert faults(validate, version, path) == ""


def references(item: Any, kind: str) -> set[str]:
    """Return the names that a resource refers to under a key, such as `configMap`."""
    names = set()
    if isinstance(item, dict):
        for key, value in item.items():
            if key in (kind, f"{kind}Ref"):
                names.add(value["name"])
            names |= references(value, kind)
    elif isinstance(item, list):
        for value in item:
            names |= references(value, kind)
    return names


def test_pods_use_all_settings_and_files_by_their_hashed_names(
    items: list[Resource],
) -> None:
    used = set()
    for deployment in by_name(items, "Deployment").values():
        used |= references(pod(deployment), "configMap")
    assert used == set(by_name(items, "ConfigMap"))
    for name in used:
        assert re.search(r"-[a-z0-9]{10}$", name), name


def test_every_image_has_a_registry_or_a_version(items: list[Resource]) -> None:
    images = set()
    for deployment in by_name(items, "Deployment").values():
        specification = pod(deployment)
        for key in ("initContainers", "containers"):
            for container in specification.get(key, []):
                images.add(container["image"])
    folder, _, _ = local_image("mlops-api").rpartition("/")
    ours = {image for image in images if image.startswith(f"{folder}/")}
    assert {image.rpartition("/")[2] for image in ours} == {
        "mlops-api:local",
        "mlops-mlflow:local",
        "mlops-pipeline:local",
    }
    others = {image.partition(":")[0] for image in images - ours}
    assert others == {"prom/prometheus", "grafana/grafana"}
    assert all(":" in image for image in images)


def test_the_overlay_in_the_documentation_sets_images_repository_and_settings(
    kubectl: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
    (documented,) = OWN_OVERLAY.findall(page)
    own = overlay.write(tmp_path, textwrap.dedent(documented))
    rendered = render(kubectl, own)
    items = read_all(rendered)
    assert "ghcr.io/local" not in rendered
    data = {}
    for name, settings in by_name(items, "ConfigMap").items():
        data[name.rpartition("-")[0]] = settings["data"]
    url = "https://github.com/octo-cat/my-copy.git"
    assert data["repository"] == {"REPOSITORY_URL": url, "REPOSITORY_BRANCH": "main"}
    assert data["mlops-api"]["LOG_LEVEL"] == "DEBUG"
    assert data["mlops-api"]["API_TRAINER_URL"] == "http://trainer:8001"


def test_an_overlay_with_an_unknown_key_is_refused(
    kubectl: Path, tmp_path: Path
) -> None:
    text = "resources: [../small]\ncolour: red\n"
    folder = overlay.write(tmp_path, text)
    command = [str(kubectl), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert 'unknown field "colour"' in done.stderr
