"""The start command on the machines of users: its messages, and what it leaves alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack import verify
from scripts.stack.settings import Settings
from scripts.stack.state import STARTING, SUPERVISOR, State
from tests.conftest import posix
from tests.paths import ROOT

# Below 32768, where Linux begins to give ports to outgoing connections.
OFFSET = 13_500
PASSWORD = "s3cret$word"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The parts of a checkout that the start command needs."""
    folder = tmp_path / "checkout"
    for part in ("app", "core", "pipeline", "scripts", "requirements"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignore)
    shutil.copy(ROOT / "docker-compose.yml", folder)
    return folder


def start(folder: Path, *flags: str) -> tuple[int, str]:
    """Run the command; return its exit status and its output."""
    environment = dict(os.environ)
    for name in ("HOME", "API_PORT"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "scripts.start", "--port-offset", str(OFFSET)]
    done = subprocess.run(
        [*command, *flags],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def test_a_checkout_that_cannot_be_written_is_one_sentence(checkout: Path) -> None:
    build = checkout / "build"
    build.touch()  # A folder of this name cannot be created, not even by root.
    status, output = start(checkout, "--local")
    assert status == 1
    assert f"error: {build}: " in output


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--doctor", "--local", "--without", "redis"], "--without redis: there is no"),
        (["--doctor", "--local", "--port-offset", "70000"], "which is not a port"),
    ],
)
def test_a_flag_with_a_value_that_does_not_exist_is_wrong_usage(
    checkout: Path, flags: list[str], sentence: str
) -> None:
    status, output = start(checkout, *flags)
    assert status == 2
    assert sentence in output


@posix
def test_an_env_that_cannot_be_read_is_one_sentence(checkout: Path) -> None:
    file = checkout / ".env"
    file.mkdir()
    error = f"error: {file} cannot be read: Is a directory.\n"
    assert start(checkout, "--status") == (1, error)


def test_no_value_of_the_env_is_printed(checkout: Path) -> None:
    names = ("GRAFANA_PASSWORD", "API_ADMIN_KEY", "GITHUB_TOKEN")
    lines = [f"{name}='{PASSWORD}'\n" for name in names]
    (checkout / ".env").write_text("".join(lines), "utf-8")
    for flags in (
        ["--doctor", "--local"],
        ["--status"],
        ["--stop"],
        ["--logs", "mlops-api"],
    ):
        status, output = start(checkout, *flags)
        assert "s3cret" not in output
        assert status in (0, 1), output


def test_the_value_of_a_faulty_port_is_not_printed(checkout: Path) -> None:
    (checkout / ".env").write_text(f"API_PORT='{PASSWORD}'\n", "utf-8")
    for flags in (["--doctor", "--local"], ["--status"]):
        status, output = start(checkout, *flags)
        assert "s3cret" not in output
        assert status in (0, 1), output


def test_one_service_alone_can_be_started(checkout: Path) -> None:
    _, output = start(checkout, "--doctor", "--local", "--only", "mlops-api")
    assert output.count("  Port ") == 1
    assert str(8000 + OFFSET) in output
    _, output = start(checkout, "--doctor", "--local", "--only", "mlflow-server")
    assert str(8000 + OFFSET) not in output
    assert str(5000 + OFFSET) in output
    assert str(5001 + OFFSET) in output
    status, output = start(checkout, "--doctor", "--only", "mlflow")
    assert status == 2
    assert "invalid choice: 'mlflow'" in output
    status, output = start(checkout, "--doctor", "--local", "--only", "cadvisor")
    assert status == 1
    assert "error: cadvisor runs in containers only: use Docker for it." in output


@pytest.mark.parametrize("place", [".env", "environment"])
def test_names_of_other_stacks_work_or_are_refused(
    place: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_with(name: str, value: str) -> tuple[int, str]:
        if place == ".env":
            (checkout / ".env").write_text(f"{name}={value}\n", "utf-8")
        else:
            monkeypatch.setenv(name, value)
        try:
            return start(checkout, "--doctor", "--local", "--only", "mlops-api")
        finally:
            monkeypatch.delenv(name, raising=False)

    store = f"postgresql://me:{PASSWORD}@db/mlflow"
    status, output = start_with("MLFLOW_BACKEND_STORE_URI", store)
    assert status == 1
    assert output.count("\n") == 1
    assert "s3cret" not in output
    error = "error: MLFLOW_BACKEND_STORE_URI cannot be used here: remove it."
    assert output.startswith(error)
    status, _ = start_with("LOG_LEVEL", "debug")
    assert status == 0
    status, _ = start_with("DEPLOY_MONITORING", "false")
    assert status == 0


def test_a_number_that_is_another_programs_by_now_is_left_alone(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The supervisor was killed, or the machine restarted, and another program has the
    # number of its process.
    monkeypatch.setattr("scripts.stack.state.ROOT", checkout)
    state = State(Settings(OFFSET, (), (), {}))
    with state.held():
        state.write({})
        numbers = state.read()
    assert numbers == {SUPERVISOR: os.getpid()}
    file = checkout / "build" / f"stack-{OFFSET}.json"
    file.write_text(json.dumps(numbers), "utf-8")
    assert start(checkout, "--stop") == (0, "nothing ran.\n")
    _, output = start(checkout, "--status")
    assert output.startswith("nothing runs from ")


def test_there_is_one_supervisor(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.stack.state.ROOT", checkout)
    with State(Settings(OFFSET, (), (), {})).held():
        status, output = start(checkout, "--status")
        assert status == 0
        assert SUPERVISOR in output
        status, output = start(checkout, "--local")
    assert status == 1
    assert f"error: {STARTING}" in output.splitlines()


def test_a_stack_without_a_model_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify, "_manifests", dict)
    monkeypatch.setattr(verify, "_traffic", lambda _: "0 predictions in the last hour")
    settings = Settings(0, (), (), {})
    api, health, *_ = verify.api(settings)
    assert api.what == verify.NO_MODEL
    assert health.what == "not ready"
