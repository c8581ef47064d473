"""A stack of the profile `follow`, which follows the releases of a repository."""

from pathlib import Path

from tests.stack.engine import PROJECT, Stack, eventually

SERVED_SECONDS = 60  # from the commit that declares a release
# The name under which containers reach this machine.
HOST = "host.docker.internal"
OVERRIDE = f"""
services:
  reconciler:
    extra_hosts: ["{HOST}:host-gateway"]
"""


class Follower(Stack):
    """A stack of the API, Prometheus and the reconciler, which follows an origin."""

    def __init__(self, checkout: Path, origin: str) -> None:
        super().__init__(checkout)
        override = checkout.with_name("override.yml")
        override.write_text(OVERRIDE)
        no_proxy = self.environment.get("NO_PROXY", "")
        self.environment |= {
            "COMPOSE_PROJECT_NAME": f"{PROJECT}-follow",
            "COMPOSE_FILE": f"docker-compose.yml:{override}",
            "COMPOSE_PROFILES": "follow",
            "MLOPS_RELEASES": origin,
            "OTEL_EXPORTER_OTLP_ENDPOINT": "",
            "NO_PROXY": f"{HOST},{no_proxy}",
        }

    def served_version(self) -> int:
        """Return the version of housing in service; 0 while the API does not answer."""
        try:
            served = self.ask("API", "/models")
        except OSError:
            return 0
        return int(served["housing"]["version"])

    def await_version(self, version: int) -> None:
        """Wait until a version of housing is served."""
        eventually(
            lambda: self.served_version() == version,
            SERVED_SECONDS,
            f"version {version} is served",
        )

    def metric(self, expression: str) -> float:
        """Return the value of a query in Prometheus; -1 if there is none."""
        series = self.query(expression)
        if not series:
            return -1
        _, value = series[0]["value"]
        return float(value)

    def passes(self, outcome: str) -> float:
        """Return how many passes have ended so."""
        return self.metric(f'reconcile_passes_total{{outcome="{outcome}"}}')

    def fires(self, name: str) -> bool:
        """Return whether an alert fires."""
        alerts = self.prometheus("alerts")["alerts"]
        firing = set()
        for alert in alerts:
            if alert["state"] == "firing":
                firing.add(alert["labels"]["alertname"])
        return name in firing

    def process_of_the_reconciler(self) -> tuple[int, str, int]:
        """Return the reconciler's process, when it was started, and how often again."""
        (container,) = self.containers("reconciler")
        state = container["State"]
        return state["Pid"], state["StartedAt"], container["RestartCount"]

    def in_reconciler(self, *command: str) -> str:
        """Run a command in the reconciler's container; return its output."""
        return self.compose("exec", "-T", "reconciler", *command)
