"""`mlflow-history` as people and programs call it."""

import json
import socket
from pathlib import Path

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


@pytest.fixture(autouse=True)
def in_checkout(repo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)


def call(*arguments: str) -> Result:
    environment = {"COLUMNS": "160", "TERM": "dumb"}
    return CliRunner(env=environment).invoke(app, arguments)


def test_build_writes_where_it_is_asked_to(repo: Workspace, tmp_path: Path) -> None:
    add_run(repo.mlruns)
    assert "1 runs (1 added, 0 removed)" in call("build").stdout
    assert (repo.build / "mlflow.db").is_file()
    assert call("build", "--db", str(tmp_path / "x.db")).exit_code == 0
    assert (tmp_path / "x.db").is_file()


def test_another_folder_may_hold_the_history(repo: Workspace) -> None:
    run = add_run(repo.root / "runs")
    listed = call("--folder", "runs", "list", "--json").stdout
    assert [entry["run_id"] for entry in json.loads(listed)] == [run.run_id]


def test_a_folder_that_is_missing_is_created_by_import_alone(repo: Workspace) -> None:
    for command in ("list", "verify", "build"):
        error = str(call("--folder", "none", command).exception)
        assert error.startswith("none is not a folder: name the history with --folder")
    uri, client, experiment = new_store(repo.root / "source")
    client.set_terminated(client.create_run(experiment).info.run_id)
    assert call("--folder", "none", "import", "--from", uri).exit_code == 0
    assert len(layout.run_folders(repo.root / "none")) == 1


def test_a_port_in_use_is_one_sentence(repo: Workspace) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = call("watch", "--metrics-port", str(port))
    expected = f"the port {port} at 127.0.0.1 is in use: name another"
    assert expected in str(result.exception)


def notice(old: str, new: str) -> str:
    return f"notice: `{old}` is now called `{new}`; the old name still works.\n"


def test_the_old_words_work_and_name_the_new_ones(repo: Workspace) -> None:
    add_run(repo.mlruns)
    result = call("restore", "--db", "old.db")
    assert result.exit_code == 0 and (repo.root / "old.db").is_file()
    assert result.stderr == notice("history restore", "history build")
    uri, _, _ = new_store(repo.root / "source")
    result = call("save", "--from", uri)
    assert result.exit_code == 0
    assert result.stderr == notice("history save", "history import")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = call("restore", "--watch", "--metrics-port", port)
    assert notice("history restore --watch", "history watch") in result.stderr
    assert f"the port {port}" in str(result.exception)
    error = str(call("restore", "--metrics-port", "5001").exception)
    assert error == "--metrics-port belongs to `history watch`."
    assert "restore" not in call("--help").stdout


def test_import_prints_the_folders(repo: Workspace, tmp_path: Path) -> None:
    uri, client, experiment = new_store(tmp_path / "source")
    run_id = client.create_run(experiment).info.run_id
    running = client.create_run(experiment).info.run_id
    client.set_terminated(run_id)
    done = call("import", "--from", uri)
    assert done.stdout.splitlines() == [
        folder.relative_to(repo.root).as_posix()
        for folder in layout.run_folders(repo.mlruns).values()
    ]
    assert f"the run {running} is RUNNING" in done.stderr.replace("\n", " ")


def test_verify_ends_with_1_and_names_the_faults(repo: Workspace) -> None:
    run = add_run(repo.mlruns, {"note.txt": b"noted"})
    assert "1 runs, no fault." in call("verify").stdout
    assert json.loads(call("verify", "--json").stdout) == []
    path = layout.run_folders(repo.mlruns)[run.run_id] / "artifacts" / "note.txt"
    path.unlink()
    file = path.relative_to(repo.root).as_posix()
    done = call("verify")
    assert done.exit_code == 1
    assert done.stdout == f"{file}: is missing\n"
    assert json.loads(call("verify", "--json").stdout) == [
        {"file": file, "reason": "is missing"}
    ]


def test_verify_gives_advice_that_fits(repo: Workspace, tmp_path: Path) -> None:
    run = add_run(repo.mlruns, {"note.txt": b"noted"})
    path = layout.run_folders(repo.mlruns)[run.run_id] / "artifacts" / "note.txt"
    path.write_bytes(b"other")
    done = call("verify")
    assert "is not in a Git repository" in " ".join(done.stderr.split())
    assert "take the files from a clone that has no fault" in str(done.exception)
    path.write_bytes(b"noted")
    git(repo.root, "init", "--quiet")
    commit_all(repo.root, "begin")
    path.write_bytes(b"other")
    done = call("verify")
    assert "the command named with a fault mends it" in str(done.exception)
    path.unlink()
    done = call("verify")
    assert "brings a file back as it is in the last commit" in str(done.exception)
    path.write_bytes(b"other")
    commit_all(repo.root, "edit")
    done = call("verify")
    assert "they are in the last commit, too: `git log -- FILE`" in str(done.exception)
    assert done.stderr == ""
    json.loads(call("verify", "--json").stdout)


def test_prune_says_what_goes_and_with_dry_run_what_would(repo: Workspace) -> None:
    for later in range(22):  # the newest 20 stay, and the first of the month
        add_run(repo.mlruns, started=STARTED - 400 * DAY_MS + later)
    assert "1 runs would be deleted." in call("prune", "--dry-run").stdout
    (path,) = json.loads(call("prune", "--dry-run", "--json").stdout)
    assert (repo.root / path).is_dir()
    assert "1 runs were deleted; commit that." in call("prune").stdout
    assert not (repo.root / path).exists()
    assert "ever promoted" in " ".join(
        call("prune", "--help").stdout.replace("│", "").split()
    )


def test_list_shows_the_newest_first(repo: Workspace) -> None:
    old = add_run(repo.mlruns, started=STARTED - DAY_MS, name="the old [bold]")
    new = add_run(
        repo.mlruns, {}, {model_id(): {"model.onnx": b"x"}}, parent=old.run_id
    )
    add_run(repo.mlruns, experiment="iris", started=STARTED - 2 * DAY_MS)
    promote(repo, new)
    lines = [line.split() for line in call("list").stdout.splitlines() if line.strip()]
    assert [line[0] for line in lines[1:3]] == [new.run_id[:8], old.run_id[:8]]
    assert "housing v1 (champion)" in " ".join(lines[1])
    assert "the old [bold]" in " ".join(lines[2])
    assert "└ a run" in " ".join(lines[1])
    assert [
        run["run_id"]
        for run in json.loads(call("list", "--json", "--limit", "1").stdout)
    ] == [new.run_id]
    assert len(json.loads(call("list", "--json").stdout)) == 3


def test_show_shows_all_of_one_run(repo: Workspace) -> None:
    data = {
        "name": "houses",
        "digest": "d1",
        "source_type": "http",
        "source": "{}",
        "schema": None,
        "profile": None,
        "tags": {},
    }
    run = add_run(
        repo.mlruns,
        {"plot.png": b"png"},
        {model_id(): {"model.onnx": b"x"}},
        metrics={"rmse": [(1.0, 1, 0), (0.25, 2, 1)]},
        datasets=[data],
        ended=None,
    )
    promote(repo, run)
    shown = call("show", run.run_id[:10]).stdout
    for text in (
        "depth",
        "0.25",
        "2 points",
        "houses",
        "plot.png",
        "housing v1",
        "not ended",
    ):
        assert text in shown
    assert json.loads(call("show", run.run_id, "--json").stdout)["run_id"] == run.run_id


def test_an_unknown_or_ambiguous_run_is_one_sentence(repo: Workspace) -> None:
    for start in ("a", "b"):
        add_run(repo.mlruns, run_id="c" + start * 31)
    assert "no run id starts with 'd'" in str(call("show", "d").exception)
    assert "2 run ids start with 'c'" in str(call("show", "c").exception)
