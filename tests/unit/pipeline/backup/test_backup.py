"""Backups of the stack that runs without Docker: made, restored, and refused."""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from core.errors import PipelineError, UsageError
from core.files import sha256_file
from history import build_database
from pipeline.backup import backup, places
from pipeline.cli import main
from pipeline.repo import Repo
from tests.conftest import make_clone, make_origin, posix


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A clone whose stack has a logged run, predictions and dashboards."""
    repo = make_clone(make_origin(tmp_path), "here")
    database = repo.build / "mlflow.db"
    build_database(repo.mlruns, database)
    client = MlflowClient(f"sqlite:///{database.as_posix()}")
    artifacts = repo.mlruns / ".local" / "notes"
    experiment = client.create_experiment("notebook", artifacts.as_uri())
    run = client.create_run(experiment)
    client.log_metric(run.info.run_id, "rmse", 0.5)
    client.log_text(run.info.run_id, "seen", "note.txt")
    grafana = repo.build / "grafana" / "grafana.db"
    for path in (repo.build / "predictions.db", grafana):
        path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE rows (value TEXT)")
            connection.execute("INSERT INTO rows VALUES (?)", [path.name])
            connection.commit()
    return repo


def call(
    monkeypatch: pytest.MonkeyPatch,
    repo: Repo,
    *arguments: str,
    local: bool = True,
) -> int:
    """Run the command line in this process, and return the exit status."""
    command = ["pipeline", "--repo", str(repo.root), *arguments]
    if local:
        command.append("--local")
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_what_git_does_not_hold_is_in_another_clone_again(
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "copy"
    assert call(monkeypatch, repo, "backup", str(target)) == 0
    assert "4 archives" in capsys.readouterr().out
    other = make_clone(tmp_path / "origin.git", "there")
    assert call(monkeypatch, other, "restore-backup", str(target)) == 0
    assert "start the stack" in capsys.readouterr().out
    database = other.build / "mlflow.db"
    client = MlflowClient(f"sqlite:///{database.as_posix()}")
    experiment = client.get_experiment_by_name("notebook")
    assert experiment
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics == {"rmse": 0.5}
    notes = list((other.mlruns / ".local").rglob("note.txt"))
    assert [note.read_text("utf-8") for note in notes] == ["seen"]
    for name in ("predictions.db", "grafana/grafana.db"):
        with closing(sqlite3.connect(other.build / name)) as connection:
            rows = connection.execute("SELECT value FROM rows").fetchall()
        assert rows == [(Path(name).name,)]


def test_a_backup_that_fails_leaves_nothing(repo: Repo, tmp_path: Path) -> None:
    class Broken(places.LocalFolder):
        def pack(self, archive: Path) -> None:
            super().pack(archive)
            raise PipelineError("the disk is full.")

    chosen = places.of_processes(repo)
    chosen.append(Broken("broken", repo.build))
    before = set(tmp_path.iterdir())
    with pytest.raises(PipelineError, match="the disk is full"):
        backup.make(repo, chosen, tmp_path / "copy", print)
    assert set(tmp_path.iterdir()) == before


def test_an_archive_that_is_none_is_one_sentence(
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "copy"
    backup.make(repo, places.of_processes(repo), target, print)
    archive = target / "predictions.tar"
    before = sha256_file(archive)
    archive.write_bytes(b"no archive")
    path = target / "backup.json"
    path.write_text(path.read_text("utf-8").replace(before, sha256_file(archive)))
    other = make_clone(tmp_path / "origin.git", "there")
    assert call(monkeypatch, other, "restore-backup", str(target)) == 1
    assert f"{other.build} cannot be copied: " in capsys.readouterr().err


def test_an_empty_folder_is_filled_and_another_is_refused(
    repo: Repo, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    target.mkdir()
    contents = backup.make(repo, places.of_processes(repo), target, print)
    assert backup.read(target) == contents
    with pytest.raises(UsageError, match="copy is not empty: name a new folder"):
        backup.make(repo, places.of_processes(repo), target, print)


def test_a_clone_without_a_stack_has_nothing_to_back_up(tmp_path: Path) -> None:
    repo = make_clone(make_origin(tmp_path), "new")
    with pytest.raises(UsageError, match="there is nothing to back up"):
        backup.make(repo, places.of_processes(repo), tmp_path / "copy", print)


def cut_short(folder: Path) -> None:
    path = folder / "predictions.tar"
    path.write_bytes(path.read_bytes()[:-512])


def drop(folder: Path) -> None:
    (folder / "grafana.tar").unlink()


@pytest.mark.parametrize("damage", [cut_short, drop])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    repo: Repo, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    target = tmp_path / "copy"
    backup.make(repo, places.of_processes(repo), target, print)
    damage(target)
    other = make_clone(tmp_path / "origin.git", "there")
    with pytest.raises(PipelineError, match="is not the file that was backed up"):
        backup.restore(places.of_processes(other), target, print)
    assert not other.build.exists()


def test_only_an_empty_stack_takes_a_backup(repo: Repo, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    backup.make(repo, places.of_processes(repo), target, print)
    with pytest.raises(
        UsageError, match="mlflow-database has files already, in .*build"
    ):
        backup.restore(places.of_processes(repo), target, print)


def test_a_folder_without_a_backup_or_of_another_kind_is_refused(
    repo: Repo, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"is no backup: it has no backup\.json"):
        backup.restore(places.of_processes(repo), tmp_path, print)
    target = tmp_path / "copy"
    backup.make(repo, places.of_processes(repo), target, print)
    (target / "backup.json").write_text('{"format": 2}')
    with pytest.raises(PipelineError, match="is of a later version of this program"):
        backup.read(target)


def test_a_place_that_the_stack_does_not_have_is_named(
    repo: Repo, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    backup.make(repo, places.of_processes(repo), target, print)
    every = places.of_processes(repo)
    fewer = [place for place in every if place.name != "grafana"]
    with pytest.raises(UsageError, match="this stack has no place for grafana"):
        backup.restore(fewer, target, print)


def test_without_docker_the_other_stack_is_named(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PipelineError, match="Docker is not installed: with --local"):
        places.of_containers(repo)


# An engine with no volume but that of PostgreSQL.
DOCKER = """\
#!/bin/sh
case "$1 $2" in
"compose config") echo '{"name": "here"}' ;;
"image ls") echo 0123456789ab ;;
"volume ls") echo here_postgres ;;
esac
"""


@posix
def test_a_volume_that_no_backup_has_is_named(
    repo: Repo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    target = str(tmp_path / "copy")
    assert call(monkeypatch, repo, "backup", target, local=False) == 2
    printed = capsys.readouterr()
    assert "here_postgres is not in the backup: back it up by pg_dump." in printed.out
    assert "there is nothing to back up" in printed.err
