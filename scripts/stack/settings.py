"""Where everything is: the checkout's folders, the services' ports and addresses."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# The variable that holds a service's port, and the port without it. docker-compose.yml publishes
# neither the trainer's nor the history's.
PORTS = {
    "mlops-api": ("API_PORT", 8000),
    "mlflow-server": ("MLFLOW_PORT", 5000),
    "mlflow-history": ("MLFLOW_METRICS_PORT", 5001),
    "prometheus": ("PROMETHEUS_PORT", 9090),
    "grafana": ("GRAFANA_PORT", 3000),
    "node-exporter": ("NODE_EXPORTER_PORT", 9100),
    "cadvisor": ("CADVISOR_PORT", 8080),
    "alertmanager": ("ALERTMANAGER_PORT", 9093),
    "jaeger": ("JAEGER_PORT", 16686),
    "trainer": ("TRAINER_PORT", 8001),
}


# The variable that turns tracing on, and where Jaeger takes spans in Compose's network.
ENDPOINT, JAEGER = "OTEL_EXPORTER_OTLP_ENDPOINT", "http://jaeger:4318"


class StackError(Exception):
    """One sentence: what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Settings:
    """What was asked for; `variables` are those of `.env`, over them those of the environment."""

    offset: int
    without: tuple[str, ...]
    profiles: tuple[str, ...]
    variables: dict[str, str]

    @classmethod
    def read(
        cls, offset: int = 0, without: tuple[str, ...] = (), profiles: tuple[str, ...] = ()
    ) -> "Settings":
        """Read `.env`, where there is one, and the environment."""
        file = ROOT / ".env"
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        pairs = (line.split("=", 1) for line in lines if "=" in line and line[:1] not in "#")
        variables = {name.strip(): value.strip().strip("\"'") for name, value in pairs}
        return cls(offset, without, profiles, variables | dict(os.environ))

    def port(self, service: str) -> int:
        """Return a service's port on this machine.

        Raises:
            StackError: the variable that sets it is no port.
        """
        name, usual = PORTS[service]
        try:
            port = int(self.variables.get(name) or usual) + self.offset
        except ValueError as error:
            raise StackError(f"{name} must be a number: mend it in .env.") from error
        if not 0 < port < 65_536:
            raise StackError(f"{name} and --port-offset make {port}, which is no port.")
        return port

    def url(self, service: str, path: str = "") -> str:
        """Return an address of a service."""
        return f"http://{HOST}:{self.port(service)}{path}"

    def environment(self) -> dict[str, str]:
        """Return the environment for child processes, with every port as it is now."""
        own = {PORTS[name][0]: str(self.port(name)) for name in PORTS}
        if "tracing" in self.profiles:  # which starts Jaeger, and cannot set a variable itself
            own[ENDPOINT] = self.variables.get(ENDPOINT) or JAEGER
        return self.variables | own
