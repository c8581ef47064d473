"""The stack's proxy with settings that it does not have by default."""

import hashlib
import subprocess
from pathlib import Path

import httpx

from tests.stack.engine import Stack, eventually

HOST = "localhost"
ANSWER_SECONDS = 30


def add_key(file: Path, key: str, client: str) -> None:
    """Add a line to the file of the keys, with a hash in place of the key."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{digest} {client}\n")


def restart_proxy(stack: Stack, address: str) -> None:
    """Start the proxy with the settings as they are, and wait until it answers."""
    # With --no-deps, Compose would take it for another configuration, and the next start
    # would replace the container.
    stack.compose("up", "--detach", "proxy")
    port = stack.ports["API"]
    with httpx.Client(verify=False, trust_env=False) as anyone:

        def is_ready() -> bool:
            try:
                answer = anyone.get(f"{address}:{port}/health/ready")
            except httpx.HTTPError:
                return False
            return answer.status_code == 200

        eventually(is_ready, ANSWER_SECONDS, "the proxy answers")


def reload_proxy(stack: Stack) -> None:
    """Let HAProxy read its files again; it takes a moment until it has."""
    stack.compose("kill", "--signal", "USR2", "proxy")


def refusal(stack: Stack, *flags: str, **settings: str) -> str:
    """Return the error of the start command with only these settings of the proxy."""
    environment = {}
    for name, value in stack.environment.items():
        if not name.startswith("PROXY_"):
            environment[name] = value
    done = subprocess.run(
        ["./start-mlops.sh", "--only", "mlops-api", *flags],
        cwd=stack.checkout,
        env=environment | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]
