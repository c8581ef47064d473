"""The check of the history with Python alone, as on a host or in MLflow's container."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from history import layout
from pipeline.repo import Repo
from tests.paths import ROOT
from tests.support.history_factories import add_run, model_id, new_workspace, promote

SCRIPT = ROOT / "scripts" / "verify_mlflow_data.py"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A history of two runs, one of them promoted and in service."""
    repo = Repo.open(new_workspace(tmp_path / "checkout").root)
    parent = add_run(repo.mlruns, files={"plot.png": b"plot"})
    promote(
        repo,
        add_run(
            repo.mlruns, models={model_id(): {"model.onnx": b"m"}}, parent=parent.run_id
        ),
    )
    return repo


def run(repo: Repo, server: str = NOBODY) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script that sees no package and no other file of ours."""
    copy = repo.root.parent / "verify_mlflow_data.py"
    shutil.copy(SCRIPT, copy)
    command = [
        sys.executable,
        "-I",
        "-S",
        str(copy),
        "--repo",
        str(repo.root),
        "--server",
        server,
    ]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_it_shows_every_section_and_no_fault(repo: Repo) -> None:
    done = run(repo)
    assert done.returncode == 0, done.stdout + done.stderr
    for message in (
        "  run.json     2\n",
        "  housing     2     1               2         2026-11-18  2026-11-18\n",
        "  housing  v1        2026-11-18  gate",
        "Record of persistence",
        "ccccccc 2026-11-18 housing v1, by gate\n1 promotion in all",
        "Checked with Python alone",
        f"MLflow server {NOBODY}\nnot compared: ",
        "✓ 2 runs, no fault.",
    ):
        assert message in done.stdout
    assert done.stderr == ""


def altered(folder: Path) -> None:
    (folder / "artifacts" / "plot.png").write_bytes(b"other")


def removed(folder: Path) -> None:
    (folder / "artifacts" / "plot.png").unlink()


def truncated(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 1,', encoding="utf-8")


def out_of_shape(folder: Path) -> None:
    content = json.loads((folder / "run.json").read_bytes())
    (folder / "run.json").write_text(
        json.dumps(content | {"artifacts": None}), encoding="utf-8"
    )


def moved(folder: Path) -> None:
    folder.rename(folder.with_name("0" * 32))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (altered, "plot.png: was altered"),
        (removed, "plot.png: is missing"),
        (truncated, "run.json: is not whole"),
        (out_of_shape, "run.json: is not whole"),
        (moved, "run.json: is not the run that its folder names"),
    ],
)
def test_it_names_what_is_wrong_with_a_run(
    repo: Repo, damage: Callable[[Path], None], message: str
) -> None:
    folders = layout.run_folders(repo.mlruns).values()
    damage(
        next(
            folder
            for folder in folders
            if (folder / "artifacts" / "plot.png").is_file()
        )
    )
    done = run(repo)
    assert done.returncode == 1
    assert message in done.stdout
    assert done.stderr == ""


def test_it_names_what_is_wrong_with_a_version(repo: Repo) -> None:
    entry = repo.mlruns / "registry" / "housing" / "1.json"
    entry.rename(entry.with_name("2.json"))
    entry.with_name("2.json").write_text(
        entry.with_name("2.json")
        .read_text("utf-8")
        .replace('"version": 1', '"version": 2'),
        "utf-8",
    )
    (repo.models / "housing" / "model.onnx").write_bytes(b"another")
    done = run(repo)
    assert done.returncode == 1
    assert "✗ mlruns/registry/housing: version 1 is missing" in done.stdout
    assert "✗ deployment/models/housing/model.onnx: was altered" in done.stdout


def test_a_folder_without_history_is_a_usage_error(tmp_path: Path) -> None:
    done = run(Repo(tmp_path / "empty"))
    assert done.returncode == 2
    assert (
        "has no folder mlruns: name the repository's root with --repo." in done.stdout
    )


NO_SERVER = (
    "http://ann:hush@127.0.0.1:9",
    "http://[::1",
    "sqlite:///mlflow.db",
    "nonsense",
    "",
)


@pytest.mark.parametrize("server", NO_SERVER)
def test_an_address_without_mlflow_is_not_compared(repo: Repo, server: str) -> None:
    done = run(repo, server)
    assert done.returncode == 0, done.stderr
    assert "\nnot compared: " in done.stdout
    assert done.stderr == ""
    assert "hush" not in done.stdout


def test_what_speaks_no_http_is_not_compared(repo: Repo) -> None:
    def greet() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
            connection.shutdown(socket.SHUT_WR)
            # Windows drops the answer if the connection is closed with a request unread.
            while connection.recv(1000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=greet, daemon=True).start()
        done = run(repo, f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert done.returncode == 0, done.stderr
    assert "not compared: BadStatusLine" in done.stdout
