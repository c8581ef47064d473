"""The Docker engine: the volumes of a stack, and a container that copies one."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.errors import PipelineError
from pipeline.backup import folder_copy

FOLDER = "/folder"  # where the container finds what it copies
# Any image of the stack with Python will do. The name depends on the registry.
_IMAGES = ("*/*/*/mlops-mlflow", "*/*/mlops-mlflow", "*/mlops-mlflow", "mlops-mlflow")
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_VOLUME = "com.docker.compose.volume"


@dataclass(frozen=True)
class Engine:
    """Docker, as the stack of one checkout uses it.

    Attributes:
        project: the name that Compose gives the stack.
        image: an image with Python.
    """

    project: str
    image: str

    @classmethod
    def find(cls, root: Path) -> "Engine":
        """Return the engine for the stack of a checkout.

        Raises:
            PipelineError: Docker cannot be used, or has no image of the stack.
        """
        config = _docker("compose", "config", "--format", "json", folder=root)
        project = str(json.loads(config)["name"])
        for pattern in _IMAGES:
            images = ("image", "ls", "--quiet", "--filter", f"reference={pattern}:*")
            names = _docker(*images).split()
            if names:
                return cls(project, names[0])
        raise PipelineError(
            "Docker has no image of the stack yet: run `docker compose build"
            " mlflow-server` first."
        )

    def volume(self, name: str) -> str:
        """Return the full name of a volume of docker-compose.yml."""
        return f"{self.project}_{name}"

    def has_volume(self, volume: str) -> bool:
        """Return whether there is a volume."""
        names = _docker("volume", "ls", "--quiet").split()
        return volume in names

    def create_volume(self, volume: str) -> None:
        """Create a volume that Compose takes for its own."""
        name = volume.removeprefix(f"{self.project}_")
        of_project = f"--label={_PROJECT}={self.project}"
        of_volume = f"--label={_VOLUME}={name}"
        _docker("volume", "create", of_project, of_volume, volume)

    def running(self) -> list[str]:
        """Return the services of the stack that run."""
        label = f"--filter=label={_PROJECT}={self.project}"
        form = f'{{{{.Label "{_SERVICE}"}}}}'
        services = _docker("ps", label, "--format", form).split()
        return sorted(set(services))

    @contextmanager
    def stopped(self, service: str) -> Iterator[None]:
        """Stop the containers of a service, and start them again after the block."""
        labels = []
        for key, value in ((_PROJECT, self.project), (_SERVICE, service)):
            labels.append(f"--filter=label={key}={value}")
        containers = _docker("ps", "--quiet", *labels).split()
        if not containers:
            yield
            return
        _docker("stop", *containers)
        try:
            yield
        finally:
            _docker("start", *containers)

    def run(
        self,
        mounted: str,
        *arguments: str,
        source: IO[bytes] | None = None,
        output: IO[bytes] | None = None,
    ) -> int:
        """Run `folder_copy` on a volume or folder; return its status, 0 or `NOT_EMPTY`.

        Args:
            source: what it reads, if anything.
            output: where what it writes goes.

        Raises:
            PipelineError: it failed.
        """
        program = Path(folder_copy.__file__).read_text("utf-8")
        command = ["docker", "run", "--rm", "--interactive", "--network=none"]
        command += ["--user=0:0", f"--volume={mounted}:{FOLDER}", "--entrypoint=python"]
        command += [self.image, "-c", program, *arguments]
        done = subprocess.run(
            command,
            stdin=source or subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode not in (0, folder_copy.NOT_EMPTY):
            reason = _last_line(done.stderr.decode(errors="replace"))
            raise PipelineError(f"{mounted} cannot be copied: {reason}.")
        return done.returncode


def _docker(*arguments: str, folder: Path | None = None) -> str:
    """Run Docker and return what it prints.

    Raises:
        PipelineError: it is not installed, or fails.
    """
    try:
        done = subprocess.run(
            ["docker", *arguments],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise PipelineError(
            "Docker is not installed: with --local, the stack that runs without it is"
            " meant."
        ) from error
    if done.returncode:
        command = " ".join(arguments[:2])
        reason = _last_line(done.stderr)
        raise PipelineError(f"`docker {command}` failed: {reason}.")
    return done.stdout


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no reason"]
    return lines[-1].strip().rstrip(".")
