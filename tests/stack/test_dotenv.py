"""Docker Compose reads each `.env` of the table as our own reader does."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.dotenv_cases import ENVIRONMENT, READ, REFUSED

UNSET = "<not set>"


def names() -> list[str]:
    """Return every variable that the table sets and a program can read."""
    variables = set()
    for _, expected in READ:
        for name in expected:
            if name.isidentifier():
                variables.add(name)
    return sorted(variables)


NAMES = names()


def compose(folder: Path, content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Let Compose substitute every variable of the table from a file."""
    (folder / ".env").write_bytes(content)
    values = {name: f"${{{name}-{UNSET}}}" for name in NAMES}
    services = {"probe": {"image": "probe", "environment": values}}
    (folder / "compose.json").write_text(json.dumps({"services": services}), "utf-8")
    environment = dict(ENVIRONMENT)
    for name in ("PATH", "HOME"):
        if name in os.environ:
            environment.setdefault(name, os.environ[name])
    command = [
        "docker",
        "compose",
        "--file",
        "compose.json",
        "config",
        "--format",
        "json",
    ]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(("content", "expected"), READ, ids=repr)
def test_compose_reads_the_same(
    content: bytes, expected: dict[str, str], tmp_path: Path
) -> None:
    done = compose(tmp_path, content)
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)["services"]["probe"]["environment"]
    read = {}
    for name, text in values.items():
        if text != UNSET:
            read[name] = text.replace("$$", "$")
    usable = {name: text for name, text in expected.items() if name in NAMES}
    assert read == {"OUTER": ENVIRONMENT["OUTER"]} | usable


@pytest.mark.parametrize("content", [content for content, _ in REFUSED], ids=repr)
def test_compose_refuses_the_same(content: bytes, tmp_path: Path) -> None:
    assert compose(tmp_path, content).returncode != 0
