"""The real Docker Compose reads each `.env` of the table as our own reader does."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.dotenv_cases import ENVIRONMENT, READ, REFUSED

UNSET = "<not set>"
NAMES = sorted(
    {name for _, expected in READ for name in expected if name.isidentifier()}
)


def compose(folder: Path, content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Let Compose fill in every variable of the table from a file."""
    (folder / ".env").write_bytes(content)
    values = {name: f"${{{name}-{UNSET}}}" for name in NAMES}
    services = {"probe": {"image": "probe", "environment": values}}
    (folder / "compose.json").write_text(json.dumps({"services": services}), "utf-8")
    command = [
        "docker",
        "compose",
        "--file",
        "compose.json",
        "config",
        "--format",
        "json",
    ]
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | ENVIRONMENT,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(("content", "expected"), READ, ids=repr)
def test_compose_reads_the_same(
    content: bytes, expected: dict[str, str], tmp_path: Path
) -> None:
    done = compose(tmp_path, content)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]["probe"]["environment"]
    read = {
        name: text.replace("$$", "$") for name, text in found.items() if text != UNSET
    }
    wanted = {name: text for name, text in expected.items() if name in NAMES}
    assert read == {"OUTER": ENVIRONMENT["OUTER"], **wanted}


@pytest.mark.parametrize("content", [content for content, _ in REFUSED], ids=repr)
def test_compose_refuses_the_same(content: bytes, tmp_path: Path) -> None:
    assert compose(tmp_path, content).returncode != 0
