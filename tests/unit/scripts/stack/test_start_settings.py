"""The start command on machines as people have them: what it says, and whom it leaves
alone.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import checks, settings, verify
from scripts.stack.settings import Settings
from scripts.stack.state import STARTING, SUPERVISOR, State
from tests.conftest import posix
from tests.paths import ROOT

OFFSET = 28_000
PASSWORD = "s3cret$word"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the start command needs of a checkout."""
    folder = tmp_path / "checkout"
    for part in ("app", "core", "pipeline", "scripts", "requirements"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "docker-compose.yml", folder)
    return folder


def start(folder: Path, *flags: str) -> tuple[int, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HOME", "API_PORT")
    }
    done = subprocess.run(
        [sys.executable, "-m", "scripts.start", "--port-offset", str(OFFSET), *flags],
        cwd=folder,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def test_a_checkout_that_cannot_be_written_is_one_sentence(checkout: Path) -> None:
    (checkout / "build").touch()  # where a folder would be made, whoever runs the tests
    status, said = start(checkout, "--local")
    assert status == 1
    assert f"error: {checkout / 'build'}: " in said


@posix
def test_an_env_that_cannot_be_read_is_one_sentence(checkout: Path) -> None:
    (checkout / ".env").mkdir()
    said = f"error: {checkout / '.env'} cannot be read: Is a directory.\n"
    assert start(checkout, "--status") == (1, said)


@pytest.mark.parametrize(
    "line", ["API_PORT", "GRAFANA_PASSWORD", "API_ADMIN_KEY", "GITHUB_TOKEN"]
)
def test_no_value_of_the_env_is_printed(line: str, checkout: Path) -> None:
    (checkout / ".env").write_text(f"{line}='{PASSWORD}'\n", "utf-8")
    for flags in (
        ["--doctor", "--local"],
        ["--status"],
        ["--stop"],
        ["--logs", "mlops-api"],
    ):
        status, said = start(checkout, *flags)
        assert "s3cret" not in said and (status in (0, 1)), said


def test_one_service_alone_can_be_asked_for(checkout: Path) -> None:
    _, said = start(checkout, "--doctor", "--local", "--only", "mlops-api")
    assert said.count("  Port ") == 1 and f"Port {8000 + OFFSET}" in said
    _, said = start(checkout, "--doctor", "--local", "--only", "mlflow-server")
    assert [str(port + OFFSET) in said for port in (8000, 5000, 5001)] == [
        False,
        True,
        True,
    ]
    status, said = start(checkout, "--doctor", "--only", "mlflow")
    assert status == 2 and "invalid choice: 'mlflow'" in said


@pytest.mark.parametrize("place", [".env", "environment"])
def test_names_of_other_stacks_work_or_are_refused(
    place: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(name: str, value: str) -> tuple[int, str]:
        if place == ".env":
            (checkout / ".env").write_text(f"{name}={value}\n", "utf-8")
        else:
            monkeypatch.setenv(name, value)
        try:
            return start(checkout, "--doctor", "--local", "--only", "mlops-api")
        finally:
            monkeypatch.delenv(name, raising=False)

    status, text = said(
        "MLFLOW_BACKEND_STORE_URI", f"postgresql://me:{PASSWORD}@db/mlflow"
    )
    assert status == 1 and text.count("\n") == 1 and "s3cret" not in text
    assert text.startswith(
        "error: MLFLOW_BACKEND_STORE_URI cannot be used here: remove it."
    )
    assert said("LOG_LEVEL", "debug")[0] == said("DEPLOY_MONITORING", "false")[0] == 0


def test_a_number_that_is_another_programs_by_now_is_left_alone(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor was killed, or the machine restarted; a stranger has its process
    number.
    """
    monkeypatch.setattr("scripts.stack.state.ROOT", checkout)
    state = State(Settings(OFFSET, (), (), {}))
    with state.held():
        state.write({})
        assert state.read() == {SUPERVISOR: os.getpid()}
        kept = state.read()
    (checkout / "build" / f"stack-{OFFSET}.json").write_text(json.dumps(kept), "utf-8")
    assert start(checkout, "--stop") == (0, "nothing ran.\n")
    assert start(checkout, "--status")[1].startswith("nothing runs from ")


def test_there_is_one_supervisor(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.stack.state.ROOT", checkout)
    with State(Settings(OFFSET, (), (), {})).held():
        status, said = start(checkout, "--status")
        assert status == 0 and SUPERVISOR in said
        status, said = start(checkout, "--local")
    assert status == 1 and f"error: {STARTING}" in said.splitlines()


def port_check(port: int) -> checks.Check:
    here = Settings(0, (), (), {"API_PORT": str(port)})
    return list(checks.all_of(here, "local", ["mlops-api"]))[-1]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_found_whoever_has_it(address: str, shared: bool) -> None:
    with socket.socket() as other:
        if shared:  # on Windows this one would share its port without a word
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((address, 0))
        other.listen()
        port = other.getsockname()[1]
        check = port_check(port)
        assert (
            check.found == "in use, mlops-api needs it"
            and "--port-offset" in check.remedy
        )
    assert port_check(port).found == "free for mlops-api"


@pytest.mark.parametrize(
    ("version", "suits"),
    [((3, 10, 14), False), ((3, 11, 0), True), ((3, 14, 2), True), ((3, 15, 0), False)],
)
def test_a_python_without_packages_is_one_sentence(
    version: tuple[int, int, int], suits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    check = next(checks.all_of(Settings(0, (), (), {}), "docker", []))
    assert check.found == ".".join(map(str, version))
    assert check.remedy == ("" if suits else "install Python 3.11 to 3.14.")


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
    found = {
        check.name: check
        for check in checks.all_of(Settings(0, (), (), {}), "local", [])
    }
    assert bool(found["Platform"].remedy) is not suits


@pytest.mark.parametrize(
    ("version", "sees"), [("20.10.5", False), ("25.0", True), ("29.1", True)]
)
def test_an_engine_that_cadvisor_cannot_ask_is_said_and_ends_nothing(
    version: str, sees: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = checks.Check("Docker", f"engine {version}, Compose 2.40.0")
    monkeypatch.setattr(checks, "docker", lambda: engine)
    asked = checks.all_of(Settings(0, (), (), {}), "docker", ["cadvisor"])
    (check,) = [check for check in asked if check.name == "cAdvisor"]
    assert bool(check.remedy) is not sees and (sees or check.optional)


def test_a_stack_without_a_model_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "_manifests", dict)
    monkeypatch.setattr(verify, "_traffic", lambda _: "0 predictions in the last hour")
    seen = verify.api(Settings(0, (), (), {}))
    assert [one.what for one in seen[:2]] == [verify.NO_MODEL, "not ready"]


def test_settings_of_other_work_stay_out_of_the_services(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {
        "MLFLOW_STATIC_PREFIX": "/x",
        "UVICORN_PORT": "1",
        "PYTHONIOENCODING": "ascii",
        "PYTHONHOME": "/x",
        "API_ADMIN_KEY": "of this work",
        "MLFLOW_PORT": "5010",
    }
    given = Settings(0, (), (), variables).for_local_services()
    assert given["API_ADMIN_KEY"] == "of this work" and given["MLFLOW_PORT"] == "5010"
    assert given["PYTHONPATH"] == str(settings.ROOT) and given["PYTHONUTF8"] == "1"
    left = {"MLFLOW_STATIC_PREFIX", "UVICORN_PORT", "PYTHONIOENCODING", "PYTHONHOME"}
    assert not left & given.keys()
