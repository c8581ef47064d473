"""The programs behind the local services: what is started, with what, and where it
logs.
"""

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
    """What one service runs: commands by the names of their logs, the service's own
    among them.
    """

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
    mine = {"PYTHONUNBUFFERED": "1"}
    if name == "mlops-api":
        mine |= {
            "API_PORT": str(settings.port(name)),
            "API_TRAINER_URL": settings.url("trainer"),
            "API_LOG_FILE": str(ROOT / "logs" / "api.log"),
        }
        return Program({name: [python, "-m", "app"]}, mine)
    if name == "trainer":
        mine |= {
            "TRAINER_PORT": str(settings.port(name)),
            "MLFLOW_TRACKING_URI": settings.url("mlflow-server"),
        }
        return Program({name: [python, "-m", "pipeline", "trainer"]}, mine)
    if name == "mlflow-server":
        return Program(_mlflow(settings, python), mine | MLFLOW)
    if name == "prometheus":
        return Program({name: _prometheus(settings, python)})
    if name == "node-exporter":
        listen = f"--web.listen-address={HOST}:{settings.port(name)}"
        return Program({name: [_program(name), listen]})
    if name == "grafana":
        return _grafana(settings)
    raise StackError(f"{name} runs in containers only: use Docker for it.")


def _mlflow(settings: Settings, python: str) -> dict[str, list[str]]:
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
        *(python, "-m", "mlflow", "server", "--workers", "1"),
        *(
            "--backend-store-uri",
            f"sqlite:///{(ROOT / 'build' / 'mlflow.db').as_posix()}",
        ),
        *("--artifacts-destination", "mlruns"),
        *("--default-artifact-root", "mlflow-artifacts:/.local"),
        *("--host", HOST, "--port", str(settings.port("mlflow-server"))),
        *("--allowed-hosts", "localhost:*,127.0.0.1:*"),
    ]
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
    """Return where Prometheus finds each service here, by its name in its
    configuration.
    """
    services = [name for name in available() if name not in settings.without]
    ports = {name: settings.port(name) for name in services if name != "trainer"}
    if "mlflow-server" in ports:  # its figures come from the process beside it
        ports["mlflow-server"] = settings.port("mlflow-history")
    addresses = {name: f"{HOST}:{port}" for name, port in ports.items()}
    return addresses | {"localhost:9090": f"{HOST}:{settings.port('prometheus')}"}


def _grafana(settings: Settings) -> Program:
    folder, home = ROOT / "build" / "grafana", []
    monitoring = ROOT / "monitoring" / "grafana"
    if GRAFANA_HOME.is_dir():
        home = ["--homepath", str(GRAFANA_HOME)]
    program = _program("grafana")
    verb = ["server"] if Path(program).stem == "grafana" else []
    given = [
        settings.variables.get(n)
        for n in ("GRAFANA_PASSWORD", "GF_SECURITY_ADMIN_PASSWORD")
    ]
    password = next(filter(None, given), "admin123")  # on this machine alone
    variables = {
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": str(settings.port("grafana")),
        "GF_SECURITY_ADMIN_USER": settings.variables.get("GF_SECURITY_ADMIN_USER")
        or "admin",
        "GF_SECURITY_ADMIN_PASSWORD": password,
        "GF_USERS_ALLOW_SIGN_UP": settings.variables.get("GF_USERS_ALLOW_SIGN_UP")
        or "false",
        "GF_PATHS_DATA": str(folder),
        "GF_PATHS_LOGS": str(folder),
        "GF_PATHS_PROVISIONING": str(monitoring / "provisioning"),
        "PROMETHEUS_URL": settings.url("prometheus"),
        "JAEGER_URL": settings.url("jaeger"),
        "DASHBOARDS_FOLDER": str(monitoring / "dashboard-configs"),
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(
            monitoring / "dashboard-configs" / "mlops-dashboard.json"
        ),
    }
    return Program({"grafana": [program, *verb, *home]}, variables)


def _installed(name: str) -> bool:
    return any(shutil.which(program) for program in OPTIONAL[name])


def _program(name: str) -> str:
    return next(found for program in OPTIONAL[name] if (found := shutil.which(program)))
