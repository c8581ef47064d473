"""A registry and a stack for a rehearsal, on free ports."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.loopback import free_port, free_ports, open_url
from scripts.stack.settings import PORTS
from tools.compose import leave_out

PROGRAM = "docker-registry"
SECONDS = 20


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run Debian's `docker-registry` on a free port, and yield its address.

    It keeps its images in the folder. At the end, the images that were built for it
    are removed from the engine.

    Raises:
        FileNotFoundError: a program is not installed.
    """
    for program in ("docker", PROGRAM):
        if not shutil.which(program):
            raise FileNotFoundError(
                f"{program} is not here: install it, then try again."
            )
    address = f"127.0.0.1:{free_port()}"
    configuration = folder / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder / 'registry'}'}}}}\n",
        encoding="utf-8",
    )
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "serve", configuration], stdout=log, stderr=log
        )
    try:
        _wait(f"http://{address}/v2/")
        yield address
    finally:
        process.terminate()
        process.wait(SECONDS)
        _remove_images(address)


def own_stack(folder: Path, without: list[str]) -> dict[str, str]:
    """Return the environment in which Compose uses free ports and leaves services out."""
    environment = {
        "COMPOSE_FILE": leave_out(without, folder / "without.yml"),
        "COMPOSE_PROJECT_NAME": "mlops-rehearsal",
    }
    ports = free_ports(len(PORTS))
    for (name, _), port in zip(PORTS.values(), ports, strict=True):
        environment[name] = str(port)
    return environment


def _remove_images(address: str) -> None:
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    ours = []
    for name in listed.stdout.split():
        if name.startswith(f"{address}/"):
            ours.append(name)
    if ours:
        command = ["docker", "rmi", *ours]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _wait(address: str) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            open_url(address, SECONDS).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
