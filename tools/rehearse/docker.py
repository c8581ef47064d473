"""A registry and a stack for a rehearsal, on free ports."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.loopback import free_port, free_ports, open_url
from scripts.stack.settings import PORTS

PROGRAM = "docker-registry"
SECONDS = 20


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Run Debian's `docker-registry` on a free port, its images in a folder; yield its
    address.

    What was built to be pushed there is taken out of the engine at the end.

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
    absent = "".join(f"  {name}: {{ profiles: [absent] }}\n" for name in without)
    (folder / "without.yml").write_text(
        f"services:\n{absent}" if absent else "{}\n", "utf-8"
    )
    files = os.pathsep.join(["docker-compose.yml", str(folder / "without.yml")])
    names = [name for name, _ in PORTS.values()]
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    return ports | {"COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": "mlops-rehearsal"}


def _remove_images(address: str) -> None:
    listed = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]
    found = subprocess.run(
        listed, check=True, stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
    ).stdout.split()
    if ours := [name for name in found if name.startswith(f"{address}/")]:
        subprocess.run(["docker", "rmi", *ours], check=True, stdout=subprocess.DEVNULL)


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
