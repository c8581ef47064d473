"""What can be said of the compose file and the images without a Docker engine."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import posix
from tests.paths import ROOT

COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
PORTS = {
    "proxy": "8000",
    "mlflow-server": "5000",
    "prometheus": "9090",
    "grafana": "3000",
    "node-exporter": "9100",
    "cadvisor": "8080",
    "alertmanager": "9093",
    "jaeger": "16686",
}
PIPELINE = [
    path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline").rglob("*.py")
]
DOCKERFILES = sorted((ROOT / "deployment" / "docker").glob("*.Dockerfile"))
# A variable that is passed on as it is, and one with what holds without it.
PASSED = re.compile(r"^ {6}([A-Z_]+):(?: #.*)?$", re.MULTILINE)
USED = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
NESTED = re.compile(f"(?={USED.pattern})")  # the default of one may be another
DOCUMENTED = re.compile(r"^(#?)([A-Z_]+)=(.*)$", re.MULTILINE)
# What runs once, before the others, and not as their user.
PREPARE = "prepare"
LOOKED_AT = SERVICES[PREPARE]["environment"]
STAYING = [name for name in SERVICES if name != PREPARE]
each = pytest.mark.parametrize("name", STAYING)


def dockerfile(service: dict[str, Any]) -> str:
    return (ROOT / service["build"]["dockerfile"]).read_text("utf-8")


def test_the_example_names_every_variable_with_what_holds_without_it() -> None:
    used = dict(NESTED.findall(COMPOSE)) | dict.fromkeys(PASSED.findall(COMPOSE), "")
    # What `prepare` looks at is mostly refused.
    used = {
        n: "" if "${" in value else value
        for n, value in used.items()
        if n not in LOOKED_AT
    }
    documented = {
        name: value
        for _, name, value in DOCUMENTED.findall(
            (ROOT / ".env.example").read_text("utf-8")
        )
    }
    assert documented == used
    # With its value the line counts as it stands; one without a value would set an
    # empty one.
    for commented, name, value in DOCUMENTED.findall(
        (ROOT / ".env.example").read_text("utf-8")
    ):
        assert bool(commented) == (not value), name


@each
def test_every_image_is_pinned_and_every_port_bound_to_this_machine(name: str) -> None:
    service = SERVICES[name]
    tag = USED.sub(r"\2", service["image"]).rpartition(":")[2]
    assert tag == "local" or re.search(r"\d+\.\d+\.\d+", tag), tag
    assert ("build" in service) == (tag == "local")
    ports = [USED.sub(r"\2", port) for port in service.get("ports", [])]
    inside = PORTS.get(name)
    assert ports == ([f"127.0.0.1:{inside}:{inside}"] if inside else [])


@each
def test_no_service_asks_another_one_through_the_users_proxy(name: str) -> None:
    environment = SERVICES[name]["environment"]
    excepted = environment["NO_PROXY"].partition(",${")[0].split(",")
    assert set(excepted) == {*STAYING, "localhost", "127.0.0.1"}
    assert environment["no_proxy"] == environment["NO_PROXY"]
    # BusyBox' wget knows a proxy, and no exception from it.
    test = SERVICES[name].get("healthcheck", {}).get("test", [])
    assert "wget" not in (words := " ".join(test)) or "http_proxy= " in words


@each
def test_every_service_is_checked_limited_and_without_rights(name: str) -> None:
    service = SERVICES[name]
    checked = "healthcheck" in service or "HEALTHCHECK" in dockerfile(service)
    assert checked and service["restart"] == "unless-stopped"
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    for other, needed in service.get("depends_on", {}).items():
        ready = (
            "service_completed_successfully" if other == PREPARE else "service_healthy"
        )
        assert needed == {"condition": ready}


@each
def test_what_asks_over_http_by_programs_not_ours_passes_a_proxy_by(name: str) -> None:
    """Health checks by wget and curl, and Grafana's sources, would go through the
    user's proxy.
    """
    service = SERVICES[name]
    asks = str(service.get("healthcheck", "")) + str(service.get("environment", ""))
    if "wget" in asks or "curl" in asks or "http://prometheus" in asks:
        for variable in ("NO_PROXY", "no_proxy"):
            hosts = service["environment"][variable].split(",")
            assert {"localhost", "127.0.0.1", "prometheus", "jaeger"} <= set(hosts)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_built_in_stages_for_a_user_without_rights(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(re.findall("^FROM ", text, re.MULTILINE)) > 1
    assert re.findall("^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "install.sh" in text and "--require-hashes" in (
        path.parent / "install.sh"
    ).read_text("utf-8")
    for label in ("title", "source", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in text


def imported(module: str, below: bool) -> set[str]:
    """Return the modules of ours that a module imports, `below` also those within
    functions.
    """
    path = ROOT / f"{module.replace('.', '/')}.py"
    path = path if path.exists() else ROOT / module.replace(".", "/") / "__init__.py"
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree) if below else tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                node.module,
                *(f"{node.module}.{name.name}" for name in node.names),
            }
    ours = {name for name in found if name.partition(".")[0] in ("app", "pipeline")}
    return {
        n for n in ours if (ROOT / n.replace(".", "/")).is_dir() or _file(n).exists()
    }


def _file(module: str) -> Path:
    return ROOT / f"{module.replace('.', '/')}.py"


@pytest.mark.parametrize(
    ("image", "starts"),
    [
        ("mlflow", {"pipeline.cli", "history.cli", "history.build"}),
        ("pipeline", {n.removesuffix(".py").replace("/", ".") for n in PIPELINE}),
    ],
)
def test_an_image_holds_every_module_that_its_code_imports(
    image: str, starts: set[str]
) -> None:
    text = (ROOT / "deployment" / "docker" / f"{image}.Dockerfile").read_text("utf-8")
    copied = {f"app.{name}" for name in re.findall(r"app/(\w+)\.py", text)} | {"app"}
    needed, left = set(starts), set(starts)
    while left:
        new = imported(left.pop(), below=image == "pipeline") - needed
        needed |= new
        left |= new
    assert {name for name in needed if name.partition(".")[0] == "app"} <= copied


def test_two_images_share_the_stage_that_is_the_largest() -> None:
    line = f"# {'-' * 93}\n"

    def stages(name: str) -> Iterator[str]:
        text = (ROOT / "deployment" / "docker" / f"{name}.Dockerfile").read_text(
            "utf-8"
        )
        yield text[text.index("FROM ") :].partition("\n\n")[0]
        yield text.partition(line)[0].rpartition("\n\n")[2]

    assert list(stages("mlflow")) == list(stages("pipeline"))


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run what starts Grafana, with a command that shows the password in Grafana's
    place.
    """
    command = [
        "sh",
        "monitoring/grafana/start.sh",
        "sh",
        "-c",
        "echo $GF_SECURITY_ADMIN_PASSWORD",
    ]
    known = {"PATH": os.environ["PATH"], "GF_PATHS_DATA": "no-such-folder"}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@posix
@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"])
def test_grafana_has_a_known_password_on_this_machine_alone(address: str) -> None:
    assert started(BIND_ADDRESS=address).stdout == "admin123\n"
    own = started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD="my own")
    assert own.stdout == "my own\n"


@posix
@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.2", "[::]", ""])
def test_grafana_does_not_start_for_others_without_a_password(address: str) -> None:
    for password in ("", "admin", "admin123"):
        told = started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD=password)
        assert told.returncode == 1 and "set GRAFANA_PASSWORD in .env" in told.stderr
    assert (
        started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD="my own").returncode
        == 0
    )


@posix
def test_grafana_forgets_an_earlier_password(tmp_path: Path) -> None:
    (tmp_path / "grafana.db").touch()
    program = tmp_path / "grafana"
    program.write_text('#!/bin/sh\necho "$@" >asked; cat >told\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", ROOT / "monitoring" / "grafana" / "start.sh", "true"],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GF_PATHS_DATA": str(tmp_path),
            "BIND_ADDRESS": "0.0.0.0",
            "GF_SECURITY_ADMIN_PASSWORD": "my own",
        },
    )
    assert done.returncode == 0
    assert "admin reset-admin-password --password-from-stdin" in (
        tmp_path / "asked"
    ).read_text("utf-8")
    assert (tmp_path / "told").read_text("utf-8") == "my own\n"


def test_prometheus_looks_services_up_by_the_names_of_the_compose_file() -> None:
    jobs = yaml.safe_load((ROOT / "monitoring/prometheus.yml").read_text("utf-8"))
    looked_up = {
        name: str(found["port"])
        for job in jobs["scrape_configs"]
        for found in job.get("dns_sd_configs", [])
        for name in found["names"]
    }
    ports = PORTS | {"mlops-api": PORTS["proxy"], "mlflow-server": "5001"}
    assert looked_up == {name: ports[name] for name in looked_up}
    watched = {"mlops-api", "mlflow-server", "node-exporter", "cadvisor", "grafana"}
    assert set(looked_up) == {*watched, "alertmanager"}
    (told,) = jobs["alerting"]["alertmanagers"]
    assert told["dns_sd_configs"][0]["names"] == ["alertmanager"]


def test_prometheus_is_given_the_file_and_the_rules_that_it_names() -> None:
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["prometheus"]["volumes"])
    assert mounts["./monitoring/prometheus.yml"] == "/etc/prometheus/prometheus.yml"
    source = yaml.safe_load((ROOT / "monitoring/prometheus.yml").read_text("utf-8"))
    for pattern in source[
        "rule_files"
    ]:  # relative to the file, on the machine as in the container
        assert list((ROOT / "monitoring").glob(pattern))
        folder = pattern.rpartition("/")[0]
        assert mounts[f"./monitoring/{folder}"] == f"/etc/prometheus/{folder}"


def sources(name: str) -> dict[str, str]:
    """Return where a service sees each of its folders, with the mode, by what is
    mounted.
    """
    mounts = [volume.partition(":") for volume in SERVICES[name]["volumes"]]
    return {inside: source for source, _, inside in mounts}


def test_what_runs_first_has_few_rights_and_is_waited_for_by_whom_it_serves() -> None:
    service = SERVICES[PREPARE]
    assert service["cap_drop"] == ["ALL"] and service["network_mode"] == "none"
    assert (
        service["cap_add"] == ["DAC_OVERRIDE", "FOWNER"]
        and service["read_only"] is True
    )
    assert service["restart"] == "no"
    folders = service["command"][1:]
    shared = {f"./{folder}": f"/mlops/{folder}" for folder in folders}
    mounted = {source: inside for inside, source in sources(PREPARE).items()}
    key = {".": "/mlops/checkout:ro", "serving": "/mlops/build/serving"}
    assert mounted == shared | {"mlflow-artifacts": "/mlops/former"} | key
    for name in STAYING:
        writes = (
            {source for inside, source in sources(name).items() if source in shared}
            if ("volumes" in SERVICES[name])
            else set()
        )
        assert not writes or PREPARE in SERVICES[name]["depends_on"], name


def test_mlflow_shows_the_folders_under_the_names_of_such_stacks_but_does_not_write_them() -> (
    None
):
    shown = {"mlruns", "models", "deployment", "results"}
    mounts = sources("mlflow-server")
    assert {
        f"/mlflow/{name}:ro": f"./{name}" for name in shown
    }.items() <= mounts.items()
    written = mounts["/mlops/mlruns/.local"]
    assert mounts["/mlflow/artifacts:ro"] == written
    # A folder that is not there would be made by Docker, and be root's.
    for source in filter(lambda path: path.startswith("./"), mounts.values()):
        assert (ROOT / source).is_file() or list((ROOT / source).iterdir())


@posix
def test_the_folder_that_people_back_up_is_the_one_that_the_server_writes() -> None:
    """`tar -czf mlflow-backup.tar.gz mlruns/ mlflow-artifacts/` in both modes."""
    assert (ROOT / "mlflow-artifacts").resolve() == (
        ROOT / "mlruns" / ".local"
    ).resolve()


def test_the_file_for_monitoring_starts_the_api_prometheus_and_grafana_alone() -> None:
    folder = ROOT / "monitoring"
    file = yaml.safe_load((folder / "docker-compose-monitoring.yml").read_text("utf-8"))
    assert set(file) == {"name", "include"}  # everything else is as in the whole stack
    (included,) = file["include"]
    whole, left_out = (folder / path for path in included["path"])
    assert whole.resolve() == ROOT / "docker-compose.yml"
    named = yaml.safe_load(left_out.read_text("utf-8"))["services"]
    started = {n for n, service in SERVICES.items() if "profiles" not in service} - set(
        named
    )
    assert started == {PREPARE, "mlops-api", "proxy", "prometheus", "grafana"}
    for name in started:
        assert not set(SERVICES[name].get("depends_on", {})) & set(named)
