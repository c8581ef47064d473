"""`pipeline history` as people and programs call it."""

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from core.git import git
from history import layout
from pipeline.cli import app
from pipeline.repo import Repo
from tests.conftest import commit_all
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    add_run,
    model_id,
    new_repo,
    new_store,
    promote,
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return new_repo(tmp_path / "clone")


def call(repo: Repo, *arguments: str) -> Result:
    environment = {"COLUMNS": "160", "TERM": "dumb"}
    return CliRunner(env=environment).invoke(
        app, ["--repo", str(repo.root), "history", *arguments]
    )


def test_restore_writes_where_it_is_told_to(repo: Repo, tmp_path: Path) -> None:
    add_run(repo.mlruns)
    assert "1 runs (1 taken in, 0 taken out)" in call(repo, "restore").stdout
    assert (repo.build / "mlflow.db").is_file()
    assert call(repo, "restore", "--db", str(tmp_path / "x.db")).exit_code == 0
    assert (tmp_path / "x.db").is_file()


def test_metrics_are_told_by_a_watcher_alone(repo: Repo) -> None:
    said = str(call(repo, "restore", "--metrics-port", "5001").exception)
    assert "--metrics-port goes with --watch alone" in said
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = call(repo, "restore", "--watch", "--metrics-port", str(port))
    assert f"the port {port} at 127.0.0.1 is in use: name another" in str(
        done.exception
    )


def test_save_prints_the_folders(repo: Repo, tmp_path: Path) -> None:
    uri, client, experiment = new_store(tmp_path / "source")
    run_id = client.create_run(experiment).info.run_id
    running = client.create_run(experiment).info.run_id
    client.set_terminated(run_id)
    done = call(repo, "save", "--from", uri)
    assert done.stdout.splitlines() == [
        folder.relative_to(repo.root).as_posix()
        for folder in layout.run_folders(repo.mlruns).values()
    ]
    assert f"the run {running} is RUNNING" in done.stderr.replace("\n", " ")


def test_verify_ends_with_1_and_names_the_faults(repo: Repo) -> None:
    run = add_run(repo.mlruns, {"note.txt": b"noted"})
    assert "1 runs, no fault." in call(repo, "verify").stdout
    assert json.loads(call(repo, "verify", "--json").stdout) == []
    path = layout.run_folders(repo.mlruns)[run.run_id] / "artifacts" / "note.txt"
    path.unlink()
    file = path.relative_to(repo.root).as_posix()
    done = call(repo, "verify")
    assert done.exit_code == 1
    assert done.stdout == f"{file}: is missing\n"
    assert json.loads(call(repo, "verify", "--json").stdout) == [
        {"file": file, "reason": "is missing"}
    ]


def test_verify_gives_advice_that_fits(repo: Repo, tmp_path: Path) -> None:
    run = add_run(repo.mlruns, {"note.txt": b"noted"})
    path = layout.run_folders(repo.mlruns)[run.run_id] / "artifacts" / "note.txt"
    path.write_bytes(b"other")
    done = call(repo, "verify")
    assert "is no Git repository" in " ".join(done.stderr.split())
    assert "take the files from a clone that is whole" in str(done.exception)
    path.write_bytes(b"noted")
    git(repo.root, "init", "--quiet")
    commit_all(repo.root, "begin")
    path.write_bytes(b"other")
    done = call(repo, "verify")
    assert "the command that is named with one mends it" in str(done.exception)
    path.unlink()
    done = call(repo, "verify")
    assert "brings a file back as it is in the last commit" in str(done.exception)
    path.write_bytes(b"other")
    commit_all(repo.root, "edit")
    done = call(repo, "verify")
    assert "they are in the last commit, too: `git log -- FILE`" in str(done.exception)
    assert done.stderr == ""
    json.loads(call(repo, "verify", "--json").stdout)


def test_prune_says_what_goes_and_with_dry_run_what_would(repo: Repo) -> None:
    for later in range(22):  # the newest 20 stay, and the first of the month
        add_run(repo.mlruns, started=STARTED - 400 * DAY_MS + later)
    assert "1 runs would go." in call(repo, "prune", "--dry-run").stdout
    (path,) = json.loads(call(repo, "prune", "--dry-run", "--json").stdout)
    assert (repo.root / path).is_dir()
    assert "1 runs are gone; commit that." in call(repo, "prune").stdout
    assert not (repo.root / path).exists()
    assert "ever promoted" in " ".join(
        call(repo, "prune", "--help").stdout.replace("│", "").split()
    )


def test_list_shows_the_newest_first(repo: Repo) -> None:
    old = add_run(repo.mlruns, started=STARTED - DAY_MS, name="the old [bold]")
    new = add_run(
        repo.mlruns, {}, {model_id(): {"model.onnx": b"x"}}, parent=old.run_id
    )
    add_run(repo.mlruns, experiment="iris", started=STARTED - 2 * DAY_MS)
    promote(repo, new)
    lines = [
        line.split() for line in call(repo, "list").stdout.splitlines() if line.strip()
    ]
    assert [line[0] for line in lines[1:3]] == [new.run_id[:8], old.run_id[:8]]
    assert "housing v1 (champion)" in " ".join(lines[1])
    assert "the old [bold]" in " ".join(lines[2])
    assert "└ a run" in " ".join(lines[1])
    assert [
        run["run_id"]
        for run in json.loads(call(repo, "list", "--json", "--limit", "1").stdout)
    ] == [new.run_id]
    assert len(json.loads(call(repo, "list", "--json").stdout)) == 3


def test_show_shows_all_of_one_run(repo: Repo) -> None:
    data = {
        **{"name": "houses", "digest": "d1", "source_type": "http", "source": "{}"},
        **{"schema": None, "profile": None, "tags": {}},
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
    shown = call(repo, "show", run.run_id[:10]).stdout
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
    assert (
        json.loads(call(repo, "show", run.run_id, "--json").stdout)["run_id"]
        == run.run_id
    )


def test_an_unknown_or_ambiguous_run_is_one_sentence(repo: Repo) -> None:
    for start in ("a", "b"):
        add_run(repo.mlruns, run_id="c" + start * 31)
    assert "no run id starts with 'd'" in str(call(repo, "show", "d").exception)
    assert "2 run ids start with 'c'" in str(call(repo, "show", "c").exception)
