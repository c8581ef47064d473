"""Programs of students in real containers: what they cannot reach, and what they can."""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from course.grading import container, process, sandbox, worktree
from course.grading.container import Container
from course.grading.process import Outcome
from course.grading.result import Ungradable
from course.teacher import image
from scripts.loopback import free_port
from tests.stack.engine import docker, eventually

# The base of all images here: what a container may do does not depend on packages.
BASE = os.environ.get("PYTHON_TAG", "3.13-slim")


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of a program that runs in containers."""
    user = os.getuid() or image.NOBODY
    chosen = Container(f"python:{BASE}", user, user, 1)
    for name, value in chosen.variables().items():
        monkeypatch.setenv(name, value)
    with worktree.folder() as place:
        yield place


def python(folder: Path, code: str, seconds: float = 60) -> Outcome:
    """Run a program of a student."""
    return sandbox.run(process.python("-c", code), folder, seconds)


def test_it_reads_its_folder_and_writes_to_the_output_alone(folder: Path) -> None:
    (folder / "question").write_text("why", "utf-8")
    copy = "open('build/answer', 'w').write(open('question').read())"
    assert python(folder, copy).succeeded
    assert (folder / "build" / "answer").read_text("utf-8") == "why"
    for path in ("question", "/usr/local/bin/python", str(Path.home() / "file")):
        outcome = python(folder, f"open({path!r}, 'w')")
        assert outcome.status == 1
        assert "Error:" in outcome.reason


def test_it_sees_no_other_file_and_no_network(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "salt"
    secret.write_text("secret", "utf-8")
    assert "No such file" in python(folder, f"open({str(secret)!r})").reason
    code = "import socket; print([name for _, name in socket.if_nameindex()])"
    outcome = python(folder, code)
    assert outcome.output.strip() == "['lo']"


def test_it_has_no_rights_and_bounded_memory(folder: Path) -> None:
    code = "print([line for line in open('/proc/self/status') if 'CapEff' in line])"
    assert "0000000000000000" in python(folder, code).output
    assert "CapEff" in python(folder, code).output
    code = "import os; print(os.getuid())"
    assert int(python(folder, code).output)
    assert not python(folder, "b'x' * 8 * 1024**3").succeeded


def test_a_program_without_end_is_removed(folder: Path) -> None:
    outcome = python(folder, "import time; time.sleep(600)", 3)
    assert outcome.status is None
    assert not docker("ps", "--quiet", "--filter", "name=course-")


def test_a_server_inside_is_reached_at_its_port(folder: Path) -> None:
    port = free_port()
    (folder / "page").write_text("hello", "utf-8")
    server = process.python("-m", "http.server", str(port), "--bind", "127.0.0.1")
    with sandbox.running(server, folder, port=port):
        address = f"http://127.0.0.1:{port}/page"

        def answer() -> str:
            with urllib.request.urlopen(address, timeout=10) as page:
                return str(page.read().decode())

        assert eventually(answer, 30, "the server answers") == "hello"


def test_an_image_that_is_missing_is_no_fault_of_the_copy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Container("localhost:1/missing:1", 10001, 10001, 1)
    monkeypatch.setenv(container.VARIABLE, json.dumps(vars(missing)))
    with pytest.raises(Ungradable, match="Docker cannot start"):
        python(folder, "print(1)")


@pytest.mark.slow
def test_the_image_has_what_the_lessons_need(folder: Path) -> None:
    choice = image.choose(lambda _: None)
    assert choice.container, choice.reason
    names = "black, fastapi, flake8, mlflow, mypy, onnxruntime, pytest, sklearn"
    outcome = docker(
        "run", "--rm", choice.container.image, "python", "-c", f"import {names}"
    )
    assert not outcome
    assert docker("run", "--rm", choice.container.image, "git", "--version")
