"""The compose file, read without a Docker engine."""

import re

import pytest

from tests.conftest import posix
from tests.paths import ROOT
from tests.support.compose import (
    COMPOSE,
    PORTS,
    PREPARE,
    SCHEMA,
    SERVICES,
    STAYING,
    USED,
    Service,
    default_image,
    mounts,
    read_yaml,
    with_defaults,
)

# A variable that is passed on as it is.
PASSED = re.compile(r"^ {6}([A-Z_]+):(?: #.*)?$", re.MULTILINE)
NESTED = re.compile(f"(?={USED.pattern})")  # the default of one may be another
DOCUMENTED = re.compile(r"^(#?)([A-Z_]+)=(.*)$", re.MULTILINE)
CHECKED_BY_PREPARE = SERVICES[PREPARE]["environment"]
each = pytest.mark.parametrize("name", STAYING)


def used_variables() -> dict[str, str]:
    """Return the variables of the compose file and their defaults."""
    defaults = {}
    for name, default in NESTED.findall(COMPOSE):
        # A file of the configuration takes the place of one that is not set.
        is_unset = "${" in default or default.startswith("./")
        defaults[name] = "" if is_unset else default
    for name in PASSED.findall(COMPOSE):
        defaults[name] = ""
    # Most values of the variables that `prepare` checks are refused.
    for name in CHECKED_BY_PREPARE:
        defaults.pop(name, None)
    return defaults


def test_the_example_names_every_variable_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text("utf-8")
    documented = {}
    for comment, name, value in DOCUMENTED.findall(text):
        documented[name] = value
        # A line with its value counts as it stands; one without would set an empty
        # value.
        assert bool(comment) == (not value), name
    assert documented == used_variables()


@each
def test_every_image_is_pinned_and_every_port_bound_to_this_machine(name: str) -> None:
    service = SERVICES[name]
    tag = default_image(name).rpartition(":")[2]
    is_built = "build" in service
    assert is_built == (tag == "local")
    assert is_built or re.search(r"\d+\.\d+", tag), tag
    ports = [with_defaults(port) for port in service.get("ports", [])]
    expected = []
    if name in PORTS:
        port = PORTS[name]
        expected.append(f"127.0.0.1:{port}:{port}")
    assert ports == expected


def health_check(service: Service) -> list[str]:
    command: list[str] = service.get("healthcheck", {}).get("test", [])
    return command


@each
def test_no_service_reaches_another_one_through_the_users_proxy(name: str) -> None:
    service = SERVICES[name]
    environment = service["environment"]
    hosts = environment["NO_PROXY"].partition(",${")[0]
    assert set(hosts.split(",")) == {*STAYING, "localhost", "127.0.0.1"}
    assert environment["no_proxy"] == environment["NO_PROXY"]
    # The wget of BusyBox supports a proxy, and no exception from it.
    command = " ".join(health_check(service))
    if "wget" in command:
        assert "http_proxy= " in command


def has_health_check(service: Service) -> bool:
    if "healthcheck" in service:
        return True
    path = ROOT / service["build"]["dockerfile"]
    return "HEALTHCHECK" in path.read_text("utf-8")


@each
def test_every_service_is_checked_limited_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert has_health_check(service)
    expected = {
        "restart": "unless-stopped",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    for key, value in expected.items():
        assert service[key] == value
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory"}
    options = service["logging"]["options"]
    assert options == {"max-size": "10m", "max-file": "3"}
    for other, needed in service.get("depends_on", {}).items():
        condition = "service_healthy"
        if other in (PREPARE, SCHEMA):
            condition = "service_completed_successfully"
        dependency = {"condition": condition}
        if "profiles" in SERVICES[other] and "profiles" not in service:
            dependency["required"] = False  # it runs without the profile, too
        assert needed == dependency


@each
def test_http_clients_of_other_projects_bypass_the_proxy(name: str) -> None:
    """Health checks with wget and curl, and Grafana's sources, would use the user's
    proxy.
    """
    service = SERVICES[name]
    environment = service.get("environment", {})
    text = f"{service.get('healthcheck', '')}{environment}"
    clients = ("wget", "curl", "http://prometheus")
    if not any(client in text for client in clients):
        return
    for variable in ("NO_PROXY", "no_proxy"):
        hosts = environment[variable].split(",")
        assert {"localhost", "127.0.0.1", "prometheus", "jaeger"} <= set(hosts)


def test_prometheus_finds_services_by_the_names_of_the_compose_file() -> None:
    config = read_yaml(ROOT / "monitoring" / "prometheus.yml")
    ports = {}
    for job in config["scrape_configs"]:
        for lookup in job.get("dns_sd_configs", []):
            for name in lookup["names"]:
                ports[name] = str(lookup["port"])
    expected = PORTS | {
        "mlops-api": PORTS["proxy"],
        "mlflow-server": "5001",
        "proxy": "8404",
    }
    assert ports.items() <= expected.items()
    assert set(ports) == {
        "alertmanager",
        "cadvisor",
        "grafana",
        "mlflow-server",
        "mlops-api",
        "node-exporter",
        "proxy",
        "reconciler",
    }
    (alertmanager,) = config["alerting"]["alertmanagers"]
    assert alertmanager["dns_sd_configs"][0]["names"] == ["alertmanager"]


def test_prometheus_is_given_the_file_and_the_rules_that_it_names() -> None:
    inside = {source: place for place, source in mounts("prometheus").items()}
    config = inside["./monitoring/prometheus.yml"]
    assert config.removesuffix(":ro") == "/etc/prometheus/prometheus.yml"
    content = read_yaml(ROOT / "monitoring" / "prometheus.yml")
    # The names are relative to the file, on the machine as in the container.
    for pattern in content["rule_files"]:
        assert list((ROOT / "monitoring").glob(pattern))
        folder = pattern.rpartition("/")[0]
        place = inside[f"./monitoring/{folder}"]
        assert place.removesuffix(":ro") == f"/etc/prometheus/{folder}"


def test_the_first_service_has_few_rights_and_those_it_serves_wait_for_it() -> None:
    service = SERVICES[PREPARE]
    expected = {
        "cap_drop": ["ALL"],
        "cap_add": ["DAC_OVERRIDE", "FOWNER"],
        "network_mode": "none",
        "read_only": True,
        "restart": "no",
    }
    for key, value in expected.items():
        assert service[key] == value
    folders = service["command"][1:]
    shared = {f"./{folder}": f"/mlops/{folder}" for folder in folders}
    inside = {source: place for place, source in mounts(PREPARE).items()}
    assert inside == shared | {
        "mlflow-artifacts": "/mlops/former",
        ".": "/mlops/checkout:ro",
        "serving": "/mlops/build/serving",
    }
    for name in STAYING:
        if shared.keys() & set(mounts(name).values()):
            assert PREPARE in SERVICES[name]["depends_on"], name


def test_mlflow_shows_the_folders_under_usual_names_but_does_not_write_them() -> None:
    sources = mounts("mlflow-server")
    for name in ("mlruns", "models", "deployment", "results"):
        assert sources[f"/mlflow/{name}:ro"] == f"./{name}"
    written = sources["/mlops/mlruns/.local"]
    assert sources["/mlflow/artifacts:ro"] == written
    # Docker would make a missing folder, which would belong to root.
    for source in sources.values():
        path = ROOT / source
        if source.startswith("./"):
            assert path.is_file() or list(path.iterdir())


@posix
def test_the_folder_that_people_back_up_is_the_one_that_the_server_writes() -> None:
    """`tar -czf mlflow-backup.tar.gz mlruns/ mlflow-artifacts/` in both modes."""
    written = ROOT / "mlruns" / ".local"
    assert (ROOT / "mlflow-artifacts").resolve() == written.resolve()


def test_the_file_for_monitoring_starts_the_api_prometheus_and_grafana_alone() -> None:
    folder = ROOT / "monitoring"
    content = read_yaml(folder / "docker-compose-monitoring.yml")
    assert set(content) == {"name", "include"}  # everything else is as in the stack
    (included,) = content["include"]
    whole, left_out = (folder / path for path in included["path"])
    assert whole.resolve() == ROOT / "docker-compose.yml"
    omitted = set(read_yaml(left_out)["services"])
    by_default = [name for name in SERVICES if "profiles" not in SERVICES[name]]
    started = set(by_default) - omitted
    assert started == {PREPARE, "mlops-api", "proxy", "prometheus", "grafana"}
    for name in started:
        needed = SERVICES[name].get("depends_on", {})
        assert not set(needed) & omitted
