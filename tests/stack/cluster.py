"""A scheduler and workers of the profile `cluster`, and trainings that use them."""

import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.cluster.settings import TABLES_VARIABLE, VARIABLE
from scripts.loopback import free_port
from scripts.stack.settings import SCHEDULER
from tests.paths import ROOT
from tests.stack.engine import DOWN, PROJECT, WAIT, Stack, docker, eventually

WORKERS = 2
SERVICES = ("dask-scheduler", "dask-worker")
# A container of its own, without the services that the worker of the API needs.
RUN = ("run", "--no-TTY", "--no-deps")
COMPOSE = ("docker", "compose")
BUILD = "/state/build"  # a volume of the trainer, which workers read
# For the whole command that a cluster is refused to. The check itself gives up after 20
# seconds; a busy machine takes its time to start the container and to import Dask.
LIMIT_SECONDS = "300"
JOIN_SECONDS = 180


class Cluster:
    """The services of the profile `cluster`, in a Compose project of their own.

    Attributes:
        stack: the project.
    """

    def __init__(self, checkout: Path) -> None:
        """Choose the names and ports of the project."""
        self.stack = Stack(checkout)
        self._dashboard = free_port()
        # There is no collector of traces.
        del self.stack.environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
        self.stack.environment |= {
            "COMPOSE_PROJECT_NAME": f"{PROJECT}-cluster",
            "COMPOSE_PROFILES": "cluster",
            "DASK_DASHBOARD_PORT": str(self._dashboard),
        }

    def start(self) -> None:
        """Build the pipeline's image, and start the scheduler and two workers."""
        self.stack.compose(*DOWN)  # what a killed run left behind
        self.stack.compose("build", "--quiet", *SERVICES)
        scale = ("--scale", f"dask-worker={WORKERS}")
        self.stack.compose("up", "--detach", *WAIT, *scale, *SERVICES)
        self.await_workers(WORKERS)

    def stop(self) -> None:
        """Remove the containers and volumes."""
        self.stack.compose(*DOWN)

    def workers(self) -> int:
        """Return how many workers the scheduler has."""
        address = f"http://127.0.0.1:{self._dashboard}/json/counts.json"
        with urllib.request.urlopen(address, timeout=10) as answer:
            counts = json.load(answer)
        return int(counts["workers"])

    def await_workers(self, count: int) -> None:
        """Wait until the scheduler has so many workers."""
        eventually(
            lambda: self.workers() == count,
            JOIN_SECONDS,
            f"the scheduler has {count} workers",
        )

    def kill_a_worker(self) -> None:
        """End the container of a worker at once; it is not started again."""
        victim = self.stack.containers("dask-worker")[0]
        docker("kill", victim["Id"])

    @contextmanager
    def another_worker(self, *options: str, more: str = "") -> Iterator[None]:
        """Run a further worker, which is gone afterwards.

        Args:
            options: those of `docker compose run`.
            more: further options of `dask worker`, separated by blanks.
        """
        before = self.workers()
        command = ["dask-worker", "worker", SCHEDULER, "--no-dashboard", *more.split()]
        output = self.stack.compose(*RUN, "--detach", *options, *command)
        container = output.split()[-1]
        try:
            self.await_workers(before + 1)
            yield
        finally:
            docker("rm", "--force", container)
            self.await_workers(before)

    def training(
        self, address: str, *arguments: str, tables: str = ""
    ) -> subprocess.Popen[str]:
        """Start `pipeline train` in a container, with its log in a pipe.

        Args:
            address: that of the scheduler.
            arguments: those of the command.
            tables: the store of tables.
        """
        variables = ("--env", f"{TABLES_VARIABLE}={tables}")
        return self._trainer(["train", *arguments], address, *variables)

    def refused_training(self, address: str) -> subprocess.Popen[str]:
        """Start a training that is ended by force if it does not end by itself."""
        program = [LIMIT_SECONDS, "python", "-m", "pipeline", "train"]
        return self._trainer(program, address, "--entrypoint", "timeout")

    def _trainer(
        self, command: list[str], address: str, *options: str
    ) -> subprocess.Popen[str]:
        """Run a container of the service `trainer`, with a tracking store of its own."""
        variables = ["--env", f"{VARIABLE}={address}", "--env", "MLFLOW_TRACKING_URI="]
        return subprocess.Popen(
            [*COMPOSE, *RUN, "--rm", *variables, *options, "trainer", *command],
            cwd=self.stack.checkout,
            env=self.stack.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def copy_bundle(self, folder: Path) -> None:
        """Copy the bundle of the last training in a container into a folder."""
        tar = ("--entrypoint", "tar", "trainer", "--create", f"--directory={BUILD}")
        packed = subprocess.run(
            [*COMPOSE, *RUN, "--rm", *tar, "bundle"],
            cwd=self.stack.checkout,
            env=self.stack.environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")


def train_here(checkout: Path, folder: Path) -> None:
    """Train all tasks in processes of this machine.

    Args:
        checkout: the checkout with `params.yaml` and the data.
        folder: where the bundle is left.
    """
    environment = dict(os.environ)
    for name in (VARIABLE, "MLFLOW_TRACKING_URI", "MLOPS_TASKS"):
        environment.pop(name, None)
    environment["MLOPS_BUILD_DIR"] = str(folder)
    subprocess.run(
        [sys.executable, "-m", "pipeline", "--repo", str(checkout), "train"],
        cwd=ROOT,
        env=environment,
        check=True,
    )
