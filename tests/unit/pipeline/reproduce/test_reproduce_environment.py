"""The Python and the environment of a run, and the variables that it is made with."""

import sys
from pathlib import Path

import pytest

from core.errors import PipelineError
from pipeline.repo import Repo
from pipeline.reproduce import environment, interpreter, programs
from pipeline.reproduce.interpreter import Interpreter
from tests.conftest import posix
from tests.support.history_factories import new_workspace

REFUSES = "import sys; sys.exit('Error: no ensurepip')"


@pytest.mark.parametrize("version", [interpreter.running().version, "", "9.9.1"])
def test_the_running_python_stands_in_for_one_that_is_not_here(version: str) -> None:
    assert interpreter.choose(version) == interpreter.running()


@posix
def test_a_python_on_the_path_is_chosen_if_it_is_the_one_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python9.9"
    program.write_text("#!/bin/sh\necho 9.9.3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = Interpreter((str(program),), "9.9.3")
    assert interpreter.choose("9.9.3") == expected
    assert interpreter.choose("9.9.1") == expected
    program.write_text("#!/bin/sh\necho 'python9.9: command not found' >&2\nexit 127\n")
    assert interpreter.choose("9.9.3") == interpreter.running()


def test_a_python_that_makes_no_environment_is_one_sentence(tmp_path: Path) -> None:
    repo = Repo.open(new_workspace(tmp_path / "checkout").root)
    lock = repo.root / environment.LOCK
    lock.parent.mkdir()
    lock.write_text("# no package\n")
    refuses = Interpreter((sys.executable, "-c", REFUSES), "3.11.7")
    message = (
        r"^Python 3.11.7 cannot make a virtual environment \(Error: no ensurepip\)"
    )
    with pytest.raises(PipelineError, match=message):
        environment.install(repo, repo.root, refuses)
    left = [path.suffix for path in (repo.build / "environments").iterdir()]
    assert left in ([], [".lock"])


@pytest.mark.parametrize(
    "name",
    ["MLFLOW_TRACKING_URI", "MLOPS_BUILD_DIR", "PYTHONPATH", "TRACEPARENT", "GIT_DIR"],
)
def test_settings_of_the_user_do_not_reach_a_training(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org/simple")
    variables = programs.environment()
    assert name not in variables
    # pip needs what the user has set for it.
    assert variables["PIP_INDEX_URL"] == "https://example.org/simple"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print('done')", ""),
        (
            "import sys; print('x', file=sys.stderr); sys.exit('ERROR: no wheel.')",
            "no wheel",
        ),
        ("raise ValueError('bad')", "ValueError: bad"),
        ("raise SystemExit(4)", "it ended with status 4"),
    ],
)
def test_the_reason_of_a_failure_is_its_error_line(
    tmp_path: Path, code: str, reason: str
) -> None:
    assert programs.run([sys.executable, "-S", "-c", code], tmp_path) == reason
