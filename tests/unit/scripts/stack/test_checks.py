"""The checks before a start: ports, Python, the system, and the engine."""

import socket
import sys

import pytest

from scripts.stack import checks
from scripts.stack.settings import Settings


def run_checks(mode: str, *services: str, **variables: str) -> dict[str, checks.Check]:
    """Return the checks before a start, by name."""
    settings = Settings(0, (), (), variables)
    results = checks.all_of(settings, mode, list(services))
    return {check.name: check for check in results}


def port_check(port: int) -> checks.Check:
    results = run_checks("local", "mlops-api", API_PORT=str(port))
    return results[f"Port {port}"]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_reported(address: str, shared: bool) -> None:
    with socket.socket() as other:
        if shared:  # On Windows this socket would let others use its port.
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((address, 0))
        other.listen()
        _, port = other.getsockname()
        check = port_check(port)
        assert check.state == "in use, mlops-api needs it"
        assert "--port-offset" in check.remedy
    assert port_check(port).state == "free for mlops-api"


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        ((3, 10, 14), "install Python 3.11 to 3.14."),
        ((3, 11, 0), ""),
        ((3, 14, 2), ""),
        ((3, 15, 0), "install Python 3.11 to 3.14."),
    ],
)
def test_a_python_without_packages_is_one_sentence(
    version: tuple[int, int, int], remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    check = next(checks.all_of(Settings(0, (), (), {}), "docker", []))
    assert check.state == ".".join(map(str, version))
    assert check.remedy == remedy


@pytest.mark.parametrize(
    ("system", "machine", "libc", "suits"),
    [
        ("Linux", "x86_64", "glibc", True),
        ("Linux", "aarch64", "glibc", True),
        ("Linux", "x86_64", "", False),
        ("Darwin", "arm64", "", True),
        ("Darwin", "x86_64", "", False),
        ("Windows", "AMD64", "", True),
        ("Windows", "ARM64", "", False),
    ],
)
def test_a_system_without_packages_is_one_sentence(
    system: str, machine: str, libc: str, suits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("platform.libc_ver", lambda: (libc, ""))
    remedy = run_checks("local")["Platform"].remedy
    assert bool(remedy) is not suits


@pytest.mark.parametrize(
    ("version", "suits"),
    [
        ("20.10.5", False),
        ("25.0", True),
        ("29.1", True),
    ],
)
def test_an_engine_that_is_too_old_for_cadvisor_does_not_prevent_a_start(
    version: str, suits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = checks.Check("Docker", f"engine {version}, Compose 2.40.0")
    monkeypatch.setattr(checks, "docker", lambda: engine)
    check = run_checks("docker", "cadvisor")["cAdvisor"]
    assert bool(check.remedy) is not suits
    assert check.optional is not suits


@pytest.mark.parametrize(
    ("version", "too_old"),
    [
        ("none", True),
        ("1.29.2", True),
        ("2.20.1", True),
        ("v2.20.2", False),
        ("2.40.3+ds1-0ubuntu1", False),
        ("5.0.0-desktop.1", False),
        ("dev", False),
    ],
)
def test_a_compose_that_would_reject_the_file_is_too_old(
    version: str, too_old: bool
) -> None:
    assert checks.is_too_old(version) is too_old
