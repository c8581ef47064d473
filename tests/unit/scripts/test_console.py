"""Every program prints its output in any encoding, and ends with a sentence."""

import ast
import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import core.output
from scripts import commands, console
from tests.paths import ROOT

# Programs of containers and of their builds, of the course's grader, servers that are
# measured, a helper of the local stack: they print plain ASCII, errors alone or nothing.
SILENT = {
    "course/grading/carry.py",
    "course/grading/limits.py",
    "course/grading/predict.py",
    "course/lessons/lesson_04_red/behaviour.py",
    "deployment/docker/health.py",
    "deployment/docker/minimal_root.py",
    "deployment/docker/rest.py",
    "pipeline/backup/folder_copy.py",
    "scripts/stack/windows.py",
    "tools/bench/servers.py",
    "tools/bench/silent.py",
}
FOLDERS = (
    "app",
    "core",
    "course",
    "history",
    "pipeline",
    "scripts",
    "tools",
    "monitoring",
    "deployment",
)
ODD = "→ … ✅ ä 😀"


def guard(path: Path) -> ast.If | None:
    """Return the statement that runs a file as a program, if it can be run."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.If):
            if ast.unparse(statement.test) == "__name__ == '__main__'":
                return statement
    return None


def guards() -> dict[str, ast.If]:
    """Return the statements that run our programs, by file."""
    statements = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            statement = guard(path)
            if statement and name not in SILENT:
                statements[name] = statement
    return statements


GUARDS = guards()
# These are run as they are, below. The last one has no module of ours beside it in a
# container.
OWN = {
    "app/__main__.py",
    "course/__main__.py",
    "history/__main__.py",
    "pipeline/__main__.py",
    "scripts/verify_mlflow_data.py",
}


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")


def written(to: io.TextIOWrapper) -> bytes:
    to.flush()
    assert isinstance(to.buffer, io.BytesIO)
    return to.buffer.getvalue()


@pytest.mark.parametrize("name", sorted(GUARDS.keys() - OWN))
def test_no_character_ends_a_program(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = stream("cp1252")
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)

    def main(arguments: list[str] | None = None) -> None:
        print(ODD)

    names = {
        "main": main,
        "commands": commands,
        "console": console,
        "output": core.output,
        "sys": sys,
    }
    module = ast.Module(GUARDS[name].body, type_ignores=[])
    body = compile(module, name, "exec")
    with pytest.raises(SystemExit) as ended:
        exec(body, names)
    assert not ended.value.code
    assert written(output).decode("utf-8").strip() == ODD


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_an_encoding_that_the_user_chose_stays(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = stream(encoding)
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    assert console.run(lambda: print(ODD)) == 0
    replaced = ODD.encode(encoding, "replace")
    assert written(output).strip() == replaced


def refuse(reason: int, file: str | None = None) -> None:
    raise OSError(reason, os.strerror(reason), file)


@pytest.mark.parametrize(
    ("reason", "file", "message"),
    [
        (errno.EACCES, "logs", "error: logs: Permission denied.\n"),
        (errno.ENOSPC, None, "error: No space left on device.\n"),
    ],
)
def test_an_error_of_the_system_is_one_sentence(
    reason: int, file: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.run(lambda: refuse(reason, file)) == 1
    assert capsys.readouterr().err == message


# A user's environment at its worst: old encodings, no home, no docstrings, settings of
# another MLflow.
WORST = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii",
    "MLFLOW_STATIC_PREFIX": "/mlflow",
    "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
}
# Programs whose help is printed in it. More of them would take seconds to import, and
# prove nothing more.
PROGRAMS = [
    "scripts.start",
    "scripts.images",
    "scripts.verify_mlflow_data",
    "tools.screenshots",
    "tools.rehearse",
    "pipeline",
    "history",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_worst_environment_ends_no_program(program: str) -> None:
    done = run_in(WORST, "-m", program, "--help")
    assert done.returncode == 0, done.stderr
    assert b"usage" in done.stdout.lower()
    assert b"Traceback" not in done.stderr


def test_an_error_of_the_api_is_a_sentence_in_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    wrong = {
        "API_LOG_FILE": str(file / "→.log"),
        "PYTHONIOENCODING": "cp1252",
    }
    done = run_in(wrong, "-m", "app")
    assert done.returncode == 1, done.stderr
    assert b"error: API_LOG_FILE: " in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr


def run_in(
    variables: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    environment = dict(os.environ)
    for name in ("HOME", "USERPROFILE"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        check=False,
    )
