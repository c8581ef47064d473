"""The programs of the local services: their commands, variables and log files."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack import optional_programs
from scripts.stack.settings import HOST, ROOT, Settings, StackError, Variables

HEALTH = {
    "mlflow-server": "/health",
    "trainer": "/health",
    "mlops-api": "/health/ready",
    "node-exporter": "/metrics",
    "prometheus": "/-/ready",
    "grafana": "/api/health",
}
# The variable with MLflow's address in browsers, for the API's links to runs.
MLFLOW_URL = "API_MLFLOW_URL"
GRAFANA_HOME = Path("/usr/share/grafana")
# MLflow's job runner starts eight processes for features that are not used here.
MLFLOW = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class Program:
    """The commands of one service, by the names of their logs, and their variables."""

    commands: dict[str, list[str]]
    variables: Variables = field(default_factory=dict)


def available() -> list[str]:
    """Return the services that this machine has the programs for."""
    services = []
    for name in HEALTH:
        if name not in optional_programs.PROGRAMS or optional_programs.find(name):
            services.append(name)
    return services


def require(services: list[str]) -> None:
    """Check that this machine has the programs of services.

    Raises:
        StackError: one of them is not installed, or runs in containers only.
    """
    for name in services:
        if name not in HEALTH:
            raise StackError(f"{name} runs in containers only: use Docker for it.")
        if name in optional_programs.PROGRAMS and not optional_programs.find(name):
            program = optional_programs.PROGRAMS[name][0]
            raise StackError(
                f"{name} cannot run here: install the program {program}, or use Docker"
                " for it."
            )


def has_models() -> bool:
    """Return whether the checkout contains a model to serve."""
    manifests = ROOT.glob("deployment/models/*/manifest.json")
    return any(manifests)


def log(name: str) -> Path:
    """Return the file with a service's output."""
    return ROOT / "logs" / f"{name}.log"


def find(name: str, settings: Settings, python: str) -> Program:
    """Return the program of a service.

    Raises:
        StackError: there is no such service in local mode.
    """
    match name:
        case "prometheus":
            return Program({name: _prometheus(settings, python)})
        case "node-exporter":
            listen = f"--web.listen-address={_address(settings, name)}"
            return Program({name: [optional_programs.find(name), listen]})
        case "grafana":
            return _grafana(settings)
        case "mlops-api":
            return _api(settings, python)
        case "trainer":
            return _trainer(settings, python)
        case "mlflow-server":
            return _mlflow(settings, python)
    raise StackError(f"{name} runs in containers only: use Docker for it.")


def _api(settings: Settings, python: str) -> Program:
    command = [python, "-m", "app"]
    mlflow = settings.variables.get(MLFLOW_URL) or settings.url("mlflow-server")
    variables = {
        "PYTHONUNBUFFERED": "1",
        MLFLOW_URL: mlflow,
        "API_PORT": str(settings.port("mlops-api")),
        "API_TRAINER_URL": settings.url("trainer"),
        "API_LOG_FILE": str(ROOT / "logs" / "api.log"),
    }
    return Program({"mlops-api": command}, variables)


def _trainer(settings: Settings, python: str) -> Program:
    command = [python, "-m", "pipeline", "serve-worker"]
    variables = {
        "PYTHONUNBUFFERED": "1",
        "TRAINER_PORT": str(settings.port("trainer")),
        "MLFLOW_TRACKING_URI": settings.url("mlflow-server"),
    }
    return Program({"trainer": command}, variables)


def _mlflow(settings: Settings, python: str) -> Program:
    database = ROOT / "build" / "mlflow.db"
    watch = [
        python,
        "-m",
        "pipeline",
        "history",
        "watch",
        "--db",
        "build/mlflow.db",
        "--metrics-port",
        str(settings.port("mlflow-history")),
    ]
    server = [
        python,
        "-m",
        "mlflow",
        "server",
        "--workers",
        "1",
        "--backend-store-uri",
        f"sqlite:///{database.as_posix()}",
        "--artifacts-destination",
        "mlruns",
        "--default-artifact-root",
        "mlflow-artifacts:/.local",
        "--host",
        HOST,
        "--port",
        str(settings.port("mlflow-server")),
        "--allowed-hosts",
        "localhost:*,127.0.0.1:*",
    ]
    commands = {"mlflow-server": server, "mlflow-history": watch}
    return Program(commands, {"PYTHONUNBUFFERED": "1"} | MLFLOW)


def _prometheus(settings: Settings, python: str) -> list[str]:
    """Write the configuration for the services on this machine.

    Raises:
        StackError: `monitoring/prometheus.yml` can't be used.
    """
    folder = ROOT / "build" / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"data-{settings.offset}"
    file = folder / f"prometheus-{settings.offset}.yml"
    source = ROOT / "monitoring" / "prometheus.yml"
    done = subprocess.run(
        [
            python,
            "-m",
            "scripts.stack.local_prometheus",
            str(source),
            str(file),
            json.dumps(_scraped(settings)),
        ],
        cwd=ROOT,
        env=settings.for_local_services(),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise StackError(done.stderr.strip() or f"{source} cannot be used.")
    return [
        optional_programs.find("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address={_address(settings, 'prometheus')}",
        "--storage.tsdb.retention.time=15d",
        "--storage.tsdb.retention.size=2GB",
        "--enable-feature=exemplar-storage",
    ]


def _scraped(settings: Settings) -> dict[str, str]:
    """Return the addresses of the services, by their names in the configuration."""
    addresses = {"localhost:9090": _address(settings, "prometheus")}
    for name in available():
        if name not in settings.without and name != "trainer":
            addresses[name] = _address(settings, name)
    if "mlflow-server" in addresses:  # The process beside it has its metrics.
        addresses["mlflow-server"] = _address(settings, "mlflow-history")
    return addresses


def _address(settings: Settings, service: str) -> str:
    return f"{HOST}:{settings.port(service)}"


def _grafana(settings: Settings) -> Program:
    program = optional_programs.find("grafana")
    command = [program]
    if Path(program).stem == "grafana":
        command.append("server")
    if GRAFANA_HOME.is_dir():
        command += ["--homepath", str(GRAFANA_HOME)]
    folder = ROOT / "build" / "grafana"
    monitoring = ROOT / "monitoring" / "grafana"
    dashboards = monitoring / "dashboard-configs"
    home = dashboards / "mlops-dashboard.json"
    given = settings.variables
    password = given.get("GRAFANA_PASSWORD") or given.get("GF_SECURITY_ADMIN_PASSWORD")
    variables = {
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": str(settings.port("grafana")),
        "GF_SECURITY_ADMIN_USER": given.get("GF_SECURITY_ADMIN_USER") or "admin",
        # Only this machine can reach it.
        "GF_SECURITY_ADMIN_PASSWORD": password or "admin123",
        "GF_USERS_ALLOW_SIGN_UP": given.get("GF_USERS_ALLOW_SIGN_UP") or "false",
        "GF_PATHS_DATA": str(folder),
        "GF_PATHS_LOGS": str(folder),
        "GF_PATHS_PROVISIONING": str(monitoring / "provisioning"),
        "PROMETHEUS_URL": settings.url("prometheus"),
        "JAEGER_URL": settings.url("jaeger"),
        "DASHBOARDS_FOLDER": str(dashboards),
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(home),
    }
    return Program({"grafana": command}, variables)
