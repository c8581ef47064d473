"""A Dask scheduler and its workers, each a process of this machine."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from distributed import Client

from scripts.loopback import free_ports
from tests.paths import ROOT
from tests.support.waiting import PATIENCE_SECONDS

OURS = ("-m", "pipeline.cluster")
# Dask as it comes, without our code.
PLAIN = ("-m", "dask")
LOOPBACK = ("--host", "127.0.0.1")


class DaskCluster:
    """A scheduler, and the workers that are started for it.

    Attributes:
        address: that of the scheduler.
        scheduler: its process.
        workers: the processes of the workers.
    """

    def __init__(self, folder: Path, program: tuple[str, ...] = OURS) -> None:
        """Start the scheduler.

        Args:
            folder: where the processes run; it does not hold our code.
            program: the arguments of Python that start a part of Dask.
        """
        self._folder = folder
        port, dashboard = free_ports(2)
        self.address = f"tcp://127.0.0.1:{port}"
        self.dashboard = f"http://127.0.0.1:{dashboard}/status"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            program,
            "scheduler",
            "--port",
            str(port),
            "--dashboard-address",
            f"127.0.0.1:{dashboard}",
        )
        self.await_workers(0)

    def add_worker(
        self,
        *options: str,
        program: tuple[str, ...] = OURS,
        variables: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a worker, which has registered on return.

        Args:
            options: further options of `dask worker`.
            program: the arguments of Python that start a part of Dask.
            variables: further variables of its environment.
        """
        worker = self._start(
            program,
            "worker",
            self.address,
            "--no-dashboard",
            *options,
            variables=variables,
        )
        self.workers.append(worker)
        running = [each for each in self.workers if each.poll() is None]
        self.await_workers(len(running))
        return worker

    def await_workers(self, count: int) -> None:
        """Wait until the scheduler has so many workers."""
        with Client(
            self.address, timeout=PATIENCE_SECONDS, set_as_default=False
        ) as client:
            if count:
                client.wait_for_workers(count, timeout=PATIENCE_SECONDS)

    def stop_workers(self) -> None:
        """Stop all workers."""
        for worker in self.workers:
            stop(worker)
        self.workers.clear()

    def stop(self) -> None:
        """Stop all processes."""
        self.stop_workers()
        stop(self.scheduler)

    def _start(
        self,
        program: tuple[str, ...],
        *arguments: str,
        variables: dict[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        environment.pop("MLOPS_CLUSTER", None)
        environment.pop("PYTHONPATH", None)
        if program == OURS:
            environment["PYTHONPATH"] = str(ROOT)
        return subprocess.Popen(
            [sys.executable, *program, *arguments, *LOOPBACK],
            cwd=self._folder,
            env=environment | (variables or {}),
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force if it does not end by itself."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def dask_cluster(
    folder: Path, program: tuple[str, ...] = OURS
) -> Iterator[DaskCluster]:
    """Run a scheduler, and stop it and its workers in the end."""
    cluster = DaskCluster(folder, program)
    try:
        yield cluster
    finally:
        cluster.stop()
