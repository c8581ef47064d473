"""The errors of the command line: one sentence and an exit status, never a traceback."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from pipeline.cli import main
from pipeline.repo import Repo
from tests.conftest import Clone
from tests.paths import ROOT
from tests.support import factories

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pipeline(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Return a function that runs the command line in this process.

    It is faster than a process of its own, since the libraries are loaded.
    """

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        status = caught.value.code or 0
        assert isinstance(status, int)
        output, errors = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, status, output, errors)

    return run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bake"], "No such command 'bake'"),
        (["--repo", "tests", "report"], "tests is not the repository's root"),
        (["promote"], "Missing argument 'TASK'"),
        (["train", "--task", "wine"], "there is no task 'wine'"),
        (["publish", "--bundle", "docs"], "docs has no finished bundle"),
        (["history", "show", "zz"], "no run id starts with 'zz'"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_status_2(
    pipeline: Command, arguments: list[str], message: str
) -> None:
    done = pipeline(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    words = done.stderr.replace("│", "").split()
    assert message in " ".join(words)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("names", ["iris wine", "wine"])
def test_the_tasks_may_come_from_the_environment(
    pipeline: Command, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_TASKS", names)
    done = pipeline("train")
    assert done.returncode == 2
    assert "there is no task 'wine'" in done.stderr


def test_a_failure_is_one_sentence_and_status_1(
    pipeline: Command, clone: Clone
) -> None:
    repo = clone("mine")
    factories.bundle(
        repo.build / "bundle", git(repo.root, "rev-parse", "HEAD"), {"housing": 1}
    )
    done = pipeline("--repo", str(repo.root), "publish", "--remote", "nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot fetch from the remote nowhere")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "notices"),
    [
        (["--fresh-data"], {}, 1),
        ([], {"MLOPS_FRESH_DATA": "true"}, 1),
        ([], {"MLOPS_FRESH_DATA": ""}, 0),
        (["--refresh-data"], {}, 0),
        ([], {"MLOPS_REFRESH_DATA": "true"}, 0),
    ],
)
def test_the_old_name_of_an_option_works_and_names_the_new_one(
    pipeline: Command,
    arguments: list[str],
    variables: dict[str, str],
    notices: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = pipeline("train", "--task", "wine", *arguments)
    assert "there is no task 'wine'" in done.stderr
    notice = (
        "notice: --fresh-data (MLOPS_FRESH_DATA) is now called --refresh-data"
        " (MLOPS_REFRESH_DATA); the old name still works.\n"
    )
    assert done.stderr.count(notice) == notices
    assert done.stderr.count("\n") == 1 + notices


def test_the_old_name_of_a_command_works_and_is_not_in_the_help(
    pipeline: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[Path, str, int]] = []

    def serve(repo: Repo, state: Path, host: str, port: int) -> None:
        served.append((state, host, port))

    monkeypatch.setattr("pipeline.worker.server.serve", serve)
    new = pipeline("serve-worker", "--port", "9001")
    old = pipeline("trainer", "--port", "9001")
    assert served == [(Path("build/serving"), "127.0.0.1", 9001)] * 2
    assert new.stderr == ""
    assert old.stderr == (
        "notice: `pipeline trainer` is now called `pipeline serve-worker`;"
        " the old name still works.\n"
    )
    page = pipeline("--help").stdout
    assert "serve-worker" in page
    assert "trainer" not in page


def can_mount() -> bool:
    """Return whether a small file system can be mounted in a separate name space."""
    if sys.platform != "linux":
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "small", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(
    not can_mount(), reason="no file system of a given size can be mounted here"
)
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(
    pipeline: Command, clone: Clone, origin: Path
) -> None:
    repo = clone("mine")
    tip = git(origin, "rev-parse", "main")
    bundle = repo.root.parent / "bundle"
    metrics = {
        "housing": 0.05,
        "iris": 0.05,
        "credit": 0.05,
    }
    factories.bundle(bundle, tip, metrics)
    unfinished = repo.root / ".git" / "publish"
    unfinished.mkdir()
    script = 'mount -t tmpfs -o size=64k full "$0" && exec "$@"'
    on_a_full_disk = ["unshare", "-rm", "sh", "-c", script, str(unfinished)]
    arguments = ["--repo", str(repo.root), "publish", "--bundle", str(bundle)]
    done = subprocess.run(
        [*on_a_full_disk, sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "no space is left" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert git(origin, "rev-parse", "main") == tip
    assert git(repo.root, "status", "--porcelain") == ""
    assert pipeline(*arguments).returncode == 0
