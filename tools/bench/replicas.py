"""Compare two replicas of the API behind the proxy with one: `nox -s bench -- replicas`.

HAProxy runs in its image, in the network of this machine: this needs Docker on Linux.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from scripts import commands
from scripts.loopback import answers, free_port
from tools.bench.load import Load
from tools.bench.running import (
    ROOT,
    Server,
    api,
    golden,
    p99,
    rate,
    ratio,
    rounds,
)

HAPROXY = ROOT / "deployment" / "haproxy"
IMAGE = re.compile(r"^HAPROXY_IMAGE=(.+)$", re.MULTILINE)
# The sections of the configuration that do not depend on Docker's network.
SECTIONS = ("global\n", "defaults\n", "backend replicas\n")
SECTION_START = re.compile(r"^(?=\w)", re.MULTILINE)
SERVERS = re.compile(r"^ +server-template .+$", re.MULTILINE)
START_SECONDS = 30
TASK = "housing"


def configuration(port: int, replica_ports: list[int]) -> str:
    """Return the project's configuration for replicas at ports of this machine."""
    whole = (HAPROXY / "haproxy.cfg").read_text("utf-8")
    kept = []
    for section in SECTION_START.split(whole):
        if section.startswith(SECTIONS):
            kept.append(section)
    servers = []
    for number in replica_ports:
        server = f"    server replica{number} 127.0.0.1:{number} check inter 5s"
        servers.append(server)
    text = SERVERS.sub("\n".join(servers), "".join(kept))
    frontend = (
        f"frontend api\n    bind 127.0.0.1:{port}\n    default_backend replicas\n"
    )
    return f"{text}\n{frontend}"


@contextlib.contextmanager
def proxy(folder: Path, *replicas: Server) -> Iterator[Server]:
    """Run HAProxy in front of replicas."""
    port = free_port()
    file = folder / f"haproxy-{port}.cfg"
    replica_ports = [replica.port for replica in replicas]
    file.write_text(configuration(port, replica_ports), "utf-8")
    file.chmod(0o644)  # for the user in the container
    command = [
        "docker",
        "run",
        "--rm",
        "--network=host",
        f"--volume={HAPROXY}:/usr/local/etc/haproxy:ro",
        f"--volume={file}:/bench.cfg:ro",
        _image(),
        "haproxy",
        "-f",
        "/bench.cfg",
    ]
    began = time.perf_counter()
    log = folder / f"haproxy-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stderr=output, start_new_session=True)
    try:
        if not _answers(process, f"http://127.0.0.1:{port}/health/ready"):
            raise commands.fail(f"HAProxy does not answer: {log.read_text('utf-8')}")
        yield Server(process, port, time.perf_counter() - began)
    finally:
        process.terminate()  # Docker passes the signal on
        process.wait(60)


def _image() -> str:
    """Return the image of the environment, otherwise that of the compose file."""
    match = IMAGE.search((ROOT / ".env.example").read_text("utf-8"))
    default = match[1] if match else ""
    return os.environ.get("HAPROXY_IMAGE") or default


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    """Wait until HAProxy has started; return whether it has."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if answers(address):
            return True
        time.sleep(0.1)
    return False


async def compare(folder: Path, seconds: float) -> Table:
    """Load one replica and two in turn, each behind a proxy of its own."""
    table = Table("replicas", "requests per second", "p99 ms")
    table.add_column("two / one")
    table.add_column("wanted, on 2 cores")
    with contextlib.ExitStack() as stack:
        replicas = []
        for name in ("first", "second"):
            own = folder / name
            own.mkdir()
            replicas.append(stack.enter_context(api(own)))
        pairs = []
        for count in (1, 2):
            running = stack.enter_context(proxy(folder, *replicas[:count]))
            request = running.request(f"/predict/{TASK}", golden(TASK))
            pairs.append((running, request))
        one, two = await rounds(pairs, seconds)
    gain = f"{ratio(two, one):.2f}"
    table.add_row("1", *_figures(one))
    table.add_row("2", *_figures(two), gain, "at least 1.3")
    return table


def _figures(loads: list[Load]) -> list[str]:
    """Return the requests a second and their 99th percentile."""
    requests = f"{rate(loads):,.0f}"
    latency = f"{p99(loads):.1f}"
    return [requests, latency]


def main(
    seconds: Annotated[float, typer.Option(help="Length of a round.")] = 3.0,
) -> None:
    """Compare the throughput of two replicas with that of one."""
    if not shutil.which("docker"):
        raise commands.fail("this needs Docker, for HAProxy's image.")
    with tempfile.TemporaryDirectory() as folder:
        table = uvloop.run(compare(Path(folder), seconds))
    Console(highlight=False, soft_wrap=True).print(table)


if __name__ == "__main__":
    sys.exit(commands.run(main))
