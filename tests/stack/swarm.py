"""The stack of `deployment/swarm/stack.yml` on this machine as a swarm of one node."""

import json
import subprocess
from pathlib import Path

from tests.stack.engine import PROJECT, Stack, docker, eventually

FILE = "deployment/swarm/stack.yml"
NAME = f"{PROJECT}-swarm"
BUILT = ("mlops-api", "mlflow-server", "trainer")
START_SECONDS = 600
STOP_SECONDS = 120


class Swarm:
    """A deployed stack.

    Attributes:
        stack: its ports, and the variables that it is deployed with.
    """

    def __init__(self, checkout: Path) -> None:
        """Choose free ports."""
        self.stack = Stack(checkout)
        # There is no collector of traces.
        del self.stack.environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
        state = docker("info", "--format", "{{.Swarm.LocalNodeState}}")
        self._is_ours = state.strip() == "inactive"

    def start(self) -> None:
        """Build the images, deploy the stack, and wait until all replicas run."""
        if self._is_ours:
            docker("swarm", "init", "--advertise-addr", "127.0.0.1")
        self.stack.compose("build", "--quiet", *BUILT)
        self.run(
            "stack",
            "deploy",
            "--resolve-image",
            "never",
            "--compose-file",
            FILE,
            NAME,
        )
        eventually(self.is_complete, START_SECONDS, "all replicas run")

    def stop(self) -> None:
        """Remove the stack and its volumes, and the swarm if there was none before."""
        docker("stack", "rm", NAME)
        # Stopped containers hold their volumes until Swarm removes them.
        eventually(
            lambda: not self.containers("--all"),
            STOP_SECONDS,
            "no container is left",
        )
        ours = f"name={NAME}_"
        listed = docker("volume", "ls", "--quiet", "--filter", ours)
        volumes = listed.split()
        if volumes:
            docker("volume", "rm", *volumes)
        if self._is_ours:
            docker("swarm", "leave", "--force")

    def run(self, *arguments: str) -> str:
        """Run Docker in the checkout, with the variables of the stack."""
        checkout = self.stack.checkout
        variables = self.stack.environment
        return docker(*arguments, cwd=checkout, env=variables)

    def is_complete(self) -> bool:
        """Return whether every service has as many healthy replicas as it should."""
        listed = docker("stack", "services", "--format", "{{json .}}", NAME)
        lines = listed.splitlines()
        for line in lines:
            service = json.loads(line)
            replicas: str = service["Replicas"]
            running, _, wanted = replicas.partition("/")
            if running != wanted:
                return False
        return bool(lines)

    def containers(self, *options: str, service: str = "") -> set[str]:
        """Return the IDs of the containers of a service, or of all.

        Args:
            options: those of `docker ps`, which lists running containers.
            service: the name of the service in the file.
        """
        label = f"label=com.docker.stack.namespace={NAME}"
        if service:
            label = f"label=com.docker.swarm.service.name={NAME}_{service}"
        listed = docker("ps", *options, "--quiet", "--no-trunc", "--filter", label)
        return set(listed.split())


def can_show_config() -> bool:
    """Return whether this Docker has `docker stack config`, which came with 23.0."""
    command = ["docker", "stack", "config", "--compose-file", "-"]
    done = subprocess.run(command, input="", capture_output=True, text=True)
    output = done.stdout + done.stderr
    return "is not a docker command" not in output
