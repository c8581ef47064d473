"""The programs of the local services: their commands, variables and log files."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack.settings import HOST, ROOT, Settings, StackError

HEALTH = {
    "mlflow-server": "/health",
    "trainer": "/health",
    "mlops-api": "/health/ready",
    "node-exporter": "/metrics",
    "prometheus": "/-/ready",
    "grafana": "/api/health",
}
# Programs that are used where they are installed.
OPTIONAL = {
    "node-exporter": ("node_exporter", "prometheus-node-exporter"),
    "prometheus": ("prometheus",),
    "grafana": ("grafana-server", "grafana"),
}
GRAFANA_HOME = Path("/usr/share/grafana")
# MLflow's job runner starts eight processes for features that a history of runs has no
# use for.
MLFLOW = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@dataclass(frozen=True)
class Program:
    """What one service runs: its own command and others, by the names of their logs."""

    commands: dict[str, list[str]]
    variables: dict[str, str] = field(default_factory=dict)


def available() -> list[str]:
    """Return the services that this machine has the programs for."""
    return [name for name in HEALTH if name not in OPTIONAL or _installed(name)]


def has_models() -> bool:
    """Tell whether the checkout holds a model to serve."""
    return any(ROOT.glob("deployment/models/*/manifest.json"))


def log(name: str) -> Path:
    """Return the file that a service's output goes to."""
    return ROOT / "logs" / f"{name}.log"


def find(name: str, settings: Settings, python: str) -> Program:
    """Return what a service runs.

    Raises:
        StackError: there is no such service in local mode.
    """
    if name == "prometheus":
        return Program({name: _prometheus(settings, python)})
    if name == "node-exporter":
        listen = f"--web.listen-address={HOST}:{settings.port(name)}"
        return Program({name: [_program(name), listen]})
    if name == "grafana":
        return _grafana(settings)
    variables = {"PYTHONUNBUFFERED": "1"}
    if name == "mlops-api":
        variables["API_PORT"] = str(settings.port(name))
        variables["API_TRAINER_URL"] = settings.url("trainer")
        variables["API_LOG_FILE"] = str(ROOT / "logs" / "api.log")
        return Program({name: [python, "-m", "app"]}, variables)
    if name == "trainer":
        variables["TRAINER_PORT"] = str(settings.port(name))
        variables["MLFLOW_TRACKING_URI"] = settings.url("mlflow-server")
        return Program({name: [python, "-m", "pipeline", "serve-worker"]}, variables)
    if name == "mlflow-server":
        return Program(_mlflow(settings, python), variables | MLFLOW)
    raise StackError(f"{name} runs in containers only: use Docker for it.")


def _mlflow(settings: Settings, python: str) -> dict[str, list[str]]:
    database = ROOT / "build" / "mlflow.db"
    watch = [python, "-m", "pipeline", "history", "watch", "--db", "build/mlflow.db"]
    watch += ["--metrics-port", str(settings.port("mlflow-history"))]
    server = [python, "-m", "mlflow", "server", "--workers", "1"]
    server += ["--backend-store-uri", f"sqlite:///{database.as_posix()}"]
    server += ["--artifacts-destination", "mlruns"]
    server += ["--default-artifact-root", "mlflow-artifacts:/.local"]
    server += ["--host", HOST, "--port", str(settings.port("mlflow-server"))]
    server += ["--allowed-hosts", "localhost:*,127.0.0.1:*"]
    return {"mlflow-server": server, "mlflow-history": watch}


def _prometheus(settings: Settings, python: str) -> list[str]:
    """Write the configuration for the services on this machine.

    Raises:
        StackError: `monitoring/prometheus.yml` can't be used.
    """
    file = ROOT / "build" / "prometheus" / f"prometheus-{settings.offset}.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    source = ROOT / "monitoring" / "prometheus.yml"
    command = [python, "-m", "scripts.stack.local_prometheus", str(source), str(file)]
    done = subprocess.run(
        [*command, json.dumps(_scraped(settings))],
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
        _program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={file.parent / f'data-{settings.offset}'}",
        f"--web.listen-address={HOST}:{settings.port('prometheus')}",
        "--storage.tsdb.retention.time=15d",
        "--storage.tsdb.retention.size=2GB",
        "--enable-feature=exemplar-storage",
    ]


def _scraped(settings: Settings) -> dict[str, str]:
    """Return the addresses of the services, by their names in the configuration."""
    services = [name for name in available() if name not in settings.without]
    ports = {name: settings.port(name) for name in services if name != "trainer"}
    if "mlflow-server" in ports:  # its figures come from the process beside it
        ports["mlflow-server"] = settings.port("mlflow-history")
    addresses = {name: f"{HOST}:{port}" for name, port in ports.items()}
    return addresses | {"localhost:9090": f"{HOST}:{settings.port('prometheus')}"}


def _grafana(settings: Settings) -> Program:
    program = _program("grafana")
    command = [program]
    if Path(program).stem == "grafana":
        command.append("server")
    if GRAFANA_HOME.is_dir():
        command += ["--homepath", str(GRAFANA_HOME)]
    folder = ROOT / "build" / "grafana"
    monitoring = ROOT / "monitoring" / "grafana"
    dashboards = monitoring / "dashboard-configs"
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
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(
            dashboards / "mlops-dashboard.json"
        ),
    }
    return Program({"grafana": command}, variables)


def _installed(name: str) -> bool:
    return any(shutil.which(program) for program in OPTIONAL[name])


def _program(name: str) -> str:
    """Return the path of the first program of an optional service that is installed."""
    paths = map(shutil.which, OPTIONAL[name])
    return next(path for path in paths if path)
