"""An ssh server that opens a bare repository to one key, as GitHub does."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.loopback import free_port

PATH = os.environ.get("PATH", "")
SSHD = shutil.which("sshd", path=f"{PATH}:/usr/sbin") or ""
SECONDS = 20


@dataclass(frozen=True)
class Server:
    """Its address without a path, its public key, and the private key that it lets in."""

    address: str
    public: str
    key: str


@contextmanager
def ssh_server(folder: Path, origin: Path) -> Iterator[Server]:
    """Run sshd on a free port for as long as the block lasts.

    A client with the key can push to `origin` and do nothing else; its hooks see
    DEPLOY_KEY.
    """
    _make_keys(folder, origin)
    port = free_port()
    configuration = _configure(folder, port)
    log_file = folder / "sshd.log"
    with log_file.open("wb") as log:
        command = [SSHD, "-D", "-e", "-f", str(configuration)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(port, log_file)
        public_key = (folder / "host.pub").read_text("utf-8")
        host, _, _ = public_key.rpartition(" ")
        address = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
        yield Server(address, host, (folder / "client").read_text("utf-8"))
    finally:
        process.terminate()
        process.wait(SECONDS)


def _make_keys(folder: Path, origin: Path) -> None:
    """Write the server's key, and the client's, with which Git is all that can run."""
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", ""]
        settings = folder / name
        subprocess.run([*command, "-f", str(settings)], check=True)
    verb = (
        "case $SSH_ORIGINAL_COMMAND in git-*) set -- ${SSH_ORIGINAL_COMMAND%% *};; *)"
        " exit 1;; esac"
    )
    login = folder / "login"
    login.write_text(f"#!/bin/sh\n{verb}\nDEPLOY_KEY=1 exec $1 '{origin}'\n")
    login.chmod(0o755)
    public = (folder / "client.pub").read_text("utf-8")
    authorized = folder / "authorized"
    authorized.write_text(f'restrict,command="{login}" {public}')


def _configure(folder: Path, port: int) -> Path:
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized",
        "PidFile": "none",
        "UsePAM": "no",
        "StrictModes": "no",
        "PasswordAuthentication": "no",
    }
    lines = []
    for name, value in settings.items():
        lines.append(f"{name} {value}\n")
    file = folder / "sshd_config"
    file.write_text("".join(lines))
    if os.geteuid() == 0:  # root's server drops its rights in this folder
        Path("/run/sshd").mkdir(exist_ok=True)
    return file


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise AssertionError(log.read_text("utf-8")) from None
            time.sleep(0.05)
