"""Programs of a copy in containers: how they are started, and what leads into them."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest

from course.grading import carry, container, process, relay, sandbox
from course.grading.container import Container, Place
from course.grading.lend import lent
from course.teacher import image
from scripts.loopback import free_port
from tests.conftest import posix

NOBODY = Container("mlops-course:test", 10001, 10001, 2)
ECHO = "import sys; sys.stdout.write(sys.stdin.readline().upper())"


def options(folder: Path, writes: str) -> list[str]:
    """Return the command for a program that prints a line."""
    place = Place(folder, writes, {"API_PORT": "8000"})
    program = process.python("-c", "print(1)")
    return container.docker_run(NOBODY, "course-1", program, place)


def test_a_container_has_its_folder_alone_and_no_network(tmp_path: Path) -> None:
    command = options(tmp_path, sandbox.OUTPUT)
    for option in (
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--user=10001:10001",
        "--memory=4g",
        "--pids-limit=512",
        "--cpus=2",
        f"--workdir={tmp_path}",
        "--env=API_PORT=8000",
        "--env=HOME=/tmp",
    ):
        assert option in command
    # With another cache, Python would compile all packages of the image again.
    assert not [option for option in command if "PYCACHE" in option]
    output = tmp_path / "build"
    mounts = [option for option in command if option.startswith("--mount")]
    assert mounts == [
        f"--mount=type=bind,source={tmp_path},target={tmp_path},readonly",
        f"--mount=type=bind,source={output},target={output}",
    ]
    assert command[-4:] == [NOBODY.image, "python", "-c", "print(1)"]


def test_the_pipeline_may_write_to_all_of_its_folder(tmp_path: Path) -> None:
    command = options(tmp_path, sandbox.EVERYTHING)
    mounts = [option for option in command if option.startswith("--mount")]
    assert mounts == [f"--mount=type=bind,source={tmp_path},target={tmp_path}"]


def test_a_container_has_no_variable_of_this_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    command = options(tmp_path, sandbox.OUTPUT)
    variables = [option for option in command if option.startswith("--env=")]
    assert not [each for each in variables if "secret" in each]
    assert not [each for each in variables if each.startswith("--env=PATH=")]


def test_another_process_uses_the_same_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert container.chosen() is None
    for name, value in NOBODY.variables().items():
        monkeypatch.setenv(name, value)
    assert container.chosen() == NOBODY


def test_without_a_container_a_program_is_a_bounded_process(tmp_path: Path) -> None:
    program = process.python("-c", "import os; print(os.getcwd())")
    outcome = sandbox.run(program, tmp_path, 20)
    assert outcome.succeeded
    assert Path(outcome.output.strip()).samefile(tmp_path)


@posix
def test_without_docker_the_reason_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    choice = image.choose(lambda _: None)
    assert choice.container is None
    assert choice.sentence == (
        "Programs of the copies run as processes of this computer, with limits but"
        " without a container: Docker is not installed."
    )


@posix
def test_what_docker_cannot_start_is_not_held_against_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens there, whether or not Docker is installed.
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    choice = image.choose(lambda _: None)
    assert choice.container is None
    assert choice.reason.startswith("Docker ")


class Upper(StreamRequestHandler):
    """Answers a line in capital letters, and closes."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.readline().upper())


def test_bytes_are_carried_to_a_port_and_back() -> None:
    with TCPServer(("127.0.0.1", 0), Upper) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        port = str(server.server_address[1])
        program = [sys.executable, "-I", carry.__file__, port]
        done = subprocess.run(program, input=b"one\n", capture_output=True, timeout=20)
        thread.join()
    assert done.stdout == b"ONE\n"


@posix
def test_each_connection_is_a_program_inside() -> None:
    port = free_port()
    with relay.forwarded(port, [sys.executable, "-c", ECHO]):
        for word in (b"one", b"two"):
            with socket.create_connection(("127.0.0.1", port), 20) as connection:
                connection.sendall(word + b"\n")
                with connection.makefile("rb") as stream:
                    assert stream.read() == word.upper() + b"\n"


def is_root() -> bool:
    """Return whether this user may do everything; Windows has no such user."""
    return os.name == "posix" and os.getuid() == 0


@posix
@pytest.mark.skipif(not is_root(), reason="only root can give files away")
def test_root_lends_a_folder_and_takes_it_back(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("", "utf-8")
    folder = tmp_path / "folder"
    (folder / "part").mkdir(parents=True)
    file = folder / "part" / "file"
    file.write_text("", "utf-8")
    (folder / "link").symlink_to(outside)
    with lent(folder, 10001, 10002):
        owners = {path.lstat().st_uid for path in (folder, file, folder / "link")}
        assert owners == {10001}
        assert file.stat().st_gid == 10002
        assert outside.stat().st_uid == os.getuid()
    assert file.stat().st_uid == os.getuid()
