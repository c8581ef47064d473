"""`mlflow-history` as people and programs call it."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from core.git import git
from history import layout
from history.__main__ import app
from tests.conftest import commit_all
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    model_id,
    new_store,
    promote,
)
from tests.support.source_store import SourceStore

DATASET = {
    "name": "houses",
    "digest": "d1",
    "source_type": "http",
    "source": "{}",
    "schema": None,
    "profile": None,
    "tags": {},
}
POINTS = [
    (1.0, 1, 0),
    (0.25, 2, 1),
]
SHOWN = (
    "depth",
    "0.25",
    "2 points",
    "houses",
    "plot.png",
    "housing v1",
    "not ended",
)


@pytest.fixture(autouse=True)
def in_checkout(repo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)


def call(*arguments: str) -> Result:
    environment = {"COLUMNS": "160", "TERM": "dumb"}
    runner = CliRunner(env=environment)
    return runner.invoke(app, arguments)


def printed(*arguments: str) -> Any:
    """Return what a command prints as JSON."""
    output = call(*arguments, "--json").stdout
    return json.loads(output)


def test_build_writes_where_it_is_asked_to(repo: Workspace, tmp_path: Path) -> None:
    add_run(repo.mlruns)
    assert "1 run (1 added, 0 removed)" in call("build").stdout
    assert (repo.build / "mlflow.db").is_file()
    database = tmp_path / "x.db"
    assert call("build", "--db", str(database)).exit_code == 0
    assert database.is_file()


def test_another_folder_may_hold_the_history(repo: Workspace) -> None:
    run = add_run(repo.root / "runs")
    (only,) = printed("--folder", "runs", "list")
    assert only["run_id"] == run.run_id


def test_a_folder_that_is_missing_is_created_by_import_alone(repo: Workspace) -> None:
    for command in ("list", "verify", "build"):
        error = str(call("--folder", "none", command).exception)
        assert error.startswith("none is not a folder: name the history with --folder")
    source = SourceStore(repo.root / "source")
    source.log()
    result = call("--folder", "none", "import", "--from", source.uri)
    assert result.exit_code == 0
    folders = layout.run_folders(repo.root / "none")
    assert len(folders) == 1


@pytest.fixture
def port_in_use() -> Iterator[str]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        _, port = other.getsockname()
        yield str(port)


def test_a_port_in_use_is_one_sentence(port_in_use: str) -> None:
    result = call("watch", "--metrics-port", port_in_use)
    error = f"the port {port_in_use} at 127.0.0.1 is in use: name another"
    assert error in str(result.exception)


def notice(old: str, new: str) -> str:
    return f"notice: `{old}` is now called `{new}`; the old name still works.\n"


def test_restore_is_called_build_now(repo: Workspace) -> None:
    add_run(repo.mlruns)
    result = call("restore", "--db", "old.db")
    assert result.exit_code == 0
    assert (repo.root / "old.db").is_file()
    assert result.stderr == notice("history restore", "history build")
    error = str(call("restore", "--metrics-port", "5001").exception)
    assert error == "--metrics-port belongs to `history watch`."
    assert "restore" not in call("--help").stdout


def test_restore_with_watch_is_called_watch_now(port_in_use: str) -> None:
    result = call("restore", "--watch", "--metrics-port", port_in_use)
    assert notice("history restore --watch", "history watch") in result.stderr
    assert f"the port {port_in_use}" in str(result.exception)


def test_save_is_called_import_now(repo: Workspace) -> None:
    uri, _, _ = new_store(repo.root / "source")
    result = call("save", "--from", uri)
    assert result.exit_code == 0
    assert result.stderr == notice("history save", "history import")


def test_import_prints_the_folders(repo: Workspace, tmp_path: Path) -> None:
    source = SourceStore(tmp_path / "source")
    run_id = source.log()
    running = source.log(status=None)
    result = call("import", "--from", source.uri)
    folder = layout.run_folders(repo.mlruns)[run_id]
    relative = folder.relative_to(repo.root).as_posix()
    assert result.stdout == f"{relative}\n"
    notices = result.stderr.replace("\n", " ")
    assert f"the run {running} is RUNNING" in notices


def add_note(repo: Workspace) -> Path:
    """Add a run with an artifact, and return the artifact's path."""
    run = add_run(repo.mlruns, {"note.txt": b"noted"})
    folder = layout.run_folders(repo.mlruns)[run.run_id]
    return folder / "artifacts" / "note.txt"


def test_verify_ends_with_1_and_prints_the_faults(repo: Workspace) -> None:
    path = add_note(repo)
    assert "1 run, no fault." in call("verify").stdout
    assert printed("verify") == []
    path.unlink()
    file = path.relative_to(repo.root).as_posix()
    result = call("verify")
    assert result.exit_code == 1
    assert result.stdout == f"{file}: is missing\n"
    (fault,) = printed("verify")
    assert fault == {"file": file, "reason": "is missing"}


def test_verify_gives_advice_that_fits(repo: Workspace) -> None:
    path = add_note(repo)
    path.write_bytes(b"other")
    result = call("verify")
    assert "is not in a Git repository" in " ".join(result.stderr.split())
    assert "take the files from a clone that has no fault" in str(result.exception)
    path.write_bytes(b"noted")
    git(repo.root, "init", "--quiet")
    commit_all(repo.root, "begin")
    path.write_bytes(b"other")
    result = call("verify")
    assert "the command named with a fault mends it" in str(result.exception)
    path.unlink()
    result = call("verify")
    advice = "brings a file back as it is in the last commit"
    assert advice in str(result.exception)
    path.write_bytes(b"other")
    commit_all(repo.root, "edit")
    result = call("verify")
    advice = "the last commit has the same content; `git log -- FILE`"
    assert advice in str(result.exception)
    assert result.stderr == ""
    assert printed("verify")


def test_prune_deletes_runs_and_with_dry_run_shows_them(repo: Workspace) -> None:
    year_ago = STARTED - 400 * DAY_MS
    for number in range(22):  # the newest 20 and the first of the month are kept
        add_run(repo.mlruns, started=year_ago + number)
    assert "1 run would be deleted." in call("prune", "--dry-run").stdout
    (path,) = printed("prune", "--dry-run")
    folder = repo.root / path
    assert folder.is_dir()
    assert "1 run was deleted; commit that." in call("prune").stdout
    assert not folder.exists()
    help_text = call("prune", "--help").stdout.replace("│", "")
    assert "ever promoted" in " ".join(help_text.split())


def test_list_shows_the_newest_first(repo: Workspace) -> None:
    old = add_run(repo.mlruns, started=STARTED - DAY_MS, name="the old [bold]")
    new = add_run(
        repo.mlruns,
        models={model_id(): {"model.onnx": b"x"}},
        parent=old.run_id,
    )
    add_run(repo.mlruns, experiment="iris", started=STARTED - 2 * DAY_MS)
    promote(repo, new)
    _, first, second, *_ = call("list").stdout.splitlines()
    assert first.startswith(new.run_id[:8])
    assert "housing v1 (champion)" in first
    assert "└ a run" in first
    assert second.startswith(old.run_id[:8])
    assert "the old [bold]" in second
    (newest,) = printed("list", "--limit", "1")
    assert newest["run_id"] == new.run_id
    assert len(printed("list")) == 3


def test_show_shows_all_of_one_run(repo: Workspace) -> None:
    run = add_run(
        repo.mlruns,
        {"plot.png": b"png"},
        {model_id(): {"model.onnx": b"x"}},
        metrics={"rmse": POINTS},
        datasets=[DATASET],
        ended=None,
    )
    promote(repo, run)
    page = call("show", run.run_id[:10]).stdout
    for text in SHOWN:
        assert text in page
    content = printed("show", run.run_id)
    assert content["run_id"] == run.run_id


def test_an_unknown_or_ambiguous_run_is_one_sentence(repo: Workspace) -> None:
    for start in ("a", "b"):
        add_run(repo.mlruns, run_id="c" + start * 31)
    assert "no run id starts with 'd'" in str(call("show", "d").exception)
    assert "2 run ids start with 'c'" in str(call("show", "c").exception)
