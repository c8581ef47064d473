"""Where everything is: the checkout's folders, the services' ports and addresses."""

import os
from dataclasses import dataclass
from pathlib import Path

from app.other_stacks import MONITORING
from scripts.stack import dotenv

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# The profile with a password for MLflow, its service, and the variable that keeps others
# from the port without one.
MLFLOW_AUTH = "mlflow-auth"
MLFLOW_PROXY = "mlflow-proxy"
MLFLOW_ADDRESS = "MLFLOW_BIND_ADDRESS"
# The variable with a service's port, and the default. docker-compose.yml publishes
# neither the trainer's nor the history's.
PORTS = {
    "mlops-api": ("API_PORT", 8000),
    "mlflow-server": ("MLFLOW_PORT", 5000),
    MLFLOW_PROXY: ("MLFLOW_PROXY_PORT", 5443),
    "mlflow-history": ("MLFLOW_METRICS_PORT", 5001),
    "prometheus": ("PROMETHEUS_PORT", 9090),
    "grafana": ("GRAFANA_PORT", 3000),
    "node-exporter": ("NODE_EXPORTER_PORT", 9100),
    "cadvisor": ("CADVISOR_PORT", 8080),
    "alertmanager": ("ALERTMANAGER_PORT", 9093),
    "jaeger": ("JAEGER_PORT", 16686),
    "dask-scheduler": ("DASK_DASHBOARD_PORT", 8787),
    "reconciler": ("RECONCILER_PORT", 8003),
    "trainer": ("TRAINER_PORT", 8001),
}

# Variables for the servers that MLflow starts, and for Python itself.
OF_OTHER_WORK = ("MLFLOW_", "_MLFLOW_", "UVICORN_", "GUNICORN_", "FLASK_", "PYTHON")
# The variable that turns tracing on, and Jaeger's address in Compose's network.
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
JAEGER = "http://jaeger:4318"
# The variable that sends trainings to a cluster, and the scheduler's address there.
CLUSTER = "MLOPS_CLUSTER"
SCHEDULER = "tcp://dask-scheduler:8786"
# The variable that names the served models, and where the reconciler writes them.
MODELS_FOLDER = "API_MODELS"
RELEASED = "build/released"
# The variables for MLflow's database and bucket, and the addresses of those in Compose's
# network.
STORE = "MLOPS_STORE"
POSTGRES = "postgresql+psycopg://mlflow@postgres/mlflow"
BUCKET = "MLOPS_ARTIFACTS"
IN_S3 = {BUCKET: "s3://mlflow/mlruns", "MLOPS_ARTIFACTS_ENDPOINT": "http://s3:8333"}

Variables = dict[str, str]
"""Variables of an environment, by name."""


class StackError(Exception):
    """One sentence: what is wrong, where, and what to do."""


class UsageError(StackError):
    """A flag has a value that does not exist."""


@dataclass(frozen=True)
class Settings:
    """The user's settings.

    Attributes:
        offset: the number that is added to every port.
        without: the services to leave out.
        profiles: the profiles of docker-compose.yml to start as well.
        variables: those of `.env` and of the environment, which takes precedence.
        of_file: the names that `.env` sets.
        secure: the services that answer over TLS.
    """

    offset: int
    without: tuple[str, ...]
    profiles: tuple[str, ...]
    variables: Variables
    of_file: frozenset[str] = frozenset()
    secure: frozenset[str] = frozenset()

    @classmethod
    def read(
        cls,
        offset: int = 0,
        without: tuple[str, ...] = (),
        profiles: tuple[str, ...] = (),
    ) -> "Settings":
        """Read `.env`, where there is one, and the environment.

        Raises:
            StackError: `.env` can't be read.
        """
        file = ROOT / ".env"
        environment = dict(os.environ)
        variables: Variables = {}
        try:
            if file.exists():
                variables = dotenv.read(file, environment)
        except OSError as error:
            raise StackError(f"{file} cannot be read: {error.strerror}.") from error
        except ValueError as error:
            raise StackError(str(error)) from error
        merged = variables | environment
        return cls(offset, without, profiles, merged, frozenset(variables))

    def port(self, service: str) -> int:
        """Return a service's port on this machine.

        Raises:
            StackError: the variable that sets it does not contain a port.
        """
        name, default = PORTS[service]
        try:
            port = int(self.variables.get(name) or default)
        except ValueError as error:
            raise StackError(f"{name} must be a number: mend it in .env.") from error
        port += self.offset
        if not 0 < port < 65_536:
            raise UsageError(
                f"{name} and --port-offset make {port}, which is not a port."
            )
        return port

    def url(self, service: str, path: str = "") -> str:
        """Return an address of a service."""
        scheme = "https" if service in self.secure else "http"
        return f"{scheme}://{HOST}:{self.port(service)}{path}"

    def environment(self) -> Variables:
        """Return the environment for `docker compose`, with every port as it is now."""
        own = self._ports()
        # A profile starts services, but cannot set a variable itself.
        if "tracing" in self.profiles:
            own[ENDPOINT] = self.variables.get(ENDPOINT) or JAEGER
        if "cluster" in self.profiles:
            own[CLUSTER] = self.variables.get(CLUSTER) or SCHEDULER
        if "follow" in self.profiles:
            own[MODELS_FOLDER] = RELEASED
        if "scale" in self.profiles:
            own[STORE] = self.variables.get(STORE) or POSTGRES
            if not self.variables.get(BUCKET):
                own |= IN_S3
        if MLFLOW_AUTH in self.profiles:
            own[MLFLOW_ADDRESS] = self.variables.get(MLFLOW_ADDRESS) or HOST
        # `.env` has been read already: Compose would quote its values in warnings,
        # passwords among them.
        done = {"COMPOSE_DISABLE_ENV_FILE": "true"}
        if MONITORING in self.variables:  # The services have been left out already.
            done[MONITORING] = ""
        return self.variables | own | done

    def for_local_services(self) -> Variables:
        """Return the environment for a service on this machine.

        It lacks the user's settings for other work with the same libraries: an
        MLFLOW_STATIC_PREFIX, say, would change every address of the server. It also lacks
        those of MLflow's database and bucket: on this machine it reads files.
        """
        kept = {}
        for name, value in self.variables.items():
            if name.upper().startswith(OF_OTHER_WORK) or name in (STORE, BUCKET):
                continue
            kept[name] = value
        python = {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        return kept | self._ports() | python

    def _ports(self) -> Variables:
        """Return the variables of all ports."""
        ports = {}
        for service, (variable, _) in PORTS.items():
            ports[variable] = str(self.port(service))
        return ports
