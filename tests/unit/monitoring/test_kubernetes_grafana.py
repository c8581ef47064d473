"""Grafana in a cluster: its files and addresses are those of the compose file."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.paths import ROOT
from tests.support.kubernetes import (
    DEPLOYMENTS,
    KUBERNETES_SERVICES,
    Resource,
    kustomization,
    main_container,
    pod,
    settings,
)

FOLDER = ROOT / "monitoring" / "grafana"
PATTERNS = ("start.sh", "provisioning/*/*.yml", "dashboard-configs/*.json")
# `kubectl apply` keeps what it applied in an annotation of at most this many bytes.
MOST_BYTES = 256 * 1024


def source_files() -> set[str]:
    """Return the files that Grafana reads, as paths below their folder."""
    paths = set()
    for pattern in PATTERNS:
        for path in FOLDER.glob(pattern):
            paths.add(path.relative_to(FOLDER).as_posix())
    return paths


def generators() -> dict[str, list[str]]:
    """Return the files of each ConfigMap."""
    files = {}
    for generator in kustomization(FOLDER)["configMapGenerator"]:
        files[generator["name"]] = generator["files"]
    return files


def config_volume() -> Resource:
    """Return the volume with Grafana's files."""
    volumes = {}
    for volume in pod(DEPLOYMENTS["grafana"])["volumes"]:
        volumes[volume["name"]] = volume
    source: Resource = volumes["config"]["projected"]
    return source


def mounted_files() -> Iterator[tuple[str, str, str]]:
    """Go through the files of the volume: ConfigMap, key and path."""
    for source in config_volume()["sources"]:
        config = source["configMap"]
        name = config["name"]
        for item in config.get("items", []):
            yield name, item["key"], item["path"]
        if "items" not in config:
            for path in generators()[name]:
                yield name, path, path


def test_every_dashboard_and_data_source_is_in_a_config_map() -> None:
    listed = [path for files in generators().values() for path in files]
    assert sorted(listed) == sorted(source_files())


def test_a_pod_has_every_file_under_its_path() -> None:
    paths = set()
    for name, key, path in mounted_files():
        files = generators()[name]
        assert path in files
        assert PurePosixPath(path).name == key
        paths.add(path)
    assert paths == source_files()


def test_a_config_map_is_small_enough_to_be_applied() -> None:
    for files in generators().values():
        data = {}
        for path in files:
            text = Path(FOLDER, path).read_text("utf-8")
            data[PurePosixPath(path).name] = text
        assert len(json.dumps(data)) < MOST_BYTES / 2


def test_the_settings_name_files_of_the_pod_and_its_prometheus() -> None:
    variables = settings("grafana")
    mounts = {}
    for mount in main_container("grafana")["volumeMounts"]:
        mounts[mount["name"]] = mount["mountPath"]
    folder = PurePosixPath(mounts["config"])
    mounted = {str(folder / path) for path in source_files()}
    home = "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    assert variables[home] in mounted
    for name in ("GF_PATHS_PROVISIONING", "DASHBOARDS_FOLDER"):
        prefix = f"{variables[name]}/"
        assert any(path.startswith(prefix) for path in mounted)
    script = main_container("grafana")["command"][1]
    assert script in mounted
    assert variables["PROMETHEUS_URL"] == "http://prometheus:9090"
    (port,) = KUBERNETES_SERVICES["prometheus"]["spec"]["ports"]
    assert port["port"] == 9090


def test_the_port_is_open_to_others_so_that_the_password_is_required() -> None:
    assert settings("grafana")["BIND_ADDRESS"] == "0.0.0.0"
    (variable,) = main_container("grafana")["env"]
    assert variable["name"] == "GF_SECURITY_ADMIN_PASSWORD"
    assert variable["valueFrom"]["secretKeyRef"]["key"] == "GRAFANA_PASSWORD"
