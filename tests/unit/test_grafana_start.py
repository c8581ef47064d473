"""The script that starts Grafana: its password, for this machine and for others."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import posix
from tests.paths import ROOT

pytestmark = posix
SCRIPT = ROOT / "monitoring" / "grafana" / "start.sh"


def started(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a command that shows the password in Grafana's place."""
    variables = {
        "PATH": os.environ["PATH"],
        "GF_PATHS_DATA": "no-such-folder",
        **environment,
    }
    return subprocess.run(
        ["sh", SCRIPT, "sh", "-c", "echo $GF_SECURITY_ADMIN_PASSWORD"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"])
def test_grafana_has_a_known_password_on_this_machine_alone(address: str) -> None:
    done = started(BIND_ADDRESS=address)
    assert done.stdout == "admin123\n"
    done = started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD="my own")
    assert done.stdout == "my own\n"


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.2", "[::]", ""])
def test_grafana_does_not_start_for_others_without_a_password(address: str) -> None:
    for password in ("", "admin", "admin123"):
        refused = started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD=password)
        assert refused.returncode == 1
        assert "set GRAFANA_PASSWORD in .env, or in the Secret mlops" in refused.stderr
    done = started(BIND_ADDRESS=address, GF_SECURITY_ADMIN_PASSWORD="my own")
    assert done.returncode == 0


def test_grafana_forgets_an_earlier_password(tmp_path: Path) -> None:
    (tmp_path / "grafana.db").touch()
    program = tmp_path / "grafana"
    program.write_text('#!/bin/sh\necho "$@" >arguments; cat >input\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", SCRIPT, "true"],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "GF_PATHS_DATA": str(tmp_path),
            "BIND_ADDRESS": "0.0.0.0",
            "GF_SECURITY_ADMIN_PASSWORD": "my own",
        },
    )
    assert done.returncode == 0
    arguments = (tmp_path / "arguments").read_text("utf-8")
    assert "admin reset-admin-password --password-from-stdin" in arguments
    assert (tmp_path / "input").read_text("utf-8") == "my own\n"
