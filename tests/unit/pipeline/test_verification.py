"""The commands of the history as the pipeline has them, and what they know of it."""

from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.repo import Repo
from pipeline.verification import project, verify
from tests.support.history_factories import add_run, model_id, new_workspace, promote


def test_the_history_s_commands_work_on_the_repository(tmp_path: Path) -> None:
    repo = Repo.open(new_workspace(tmp_path / "clone").root)
    run = add_run(repo.mlruns, {}, {model_id(): {"model.onnx": b"x"}})
    promote(repo, run)
    call = ["--repo", str(repo.root), "history"]
    built = CliRunner().invoke(app, [*call, "build"])
    assert built.exit_code == 0 and (repo.build / "mlflow.db").is_file()
    assert CliRunner().invoke(app, [*call, "verify"]).exit_code == 0
    (repo.models / "housing" / "model.onnx").write_bytes(b"y")
    result = CliRunner().invoke(app, [*call, "verify"])
    expected = "deployment/models/housing/model.onnx: is not the champion, version 1\n"
    assert result.stdout == expected
    assert [str(fault) for fault in verify(repo)] == [expected.strip()]
    result = CliRunner().invoke(app, [*call, "--help"])
    assert "--folder" not in result.stdout


def test_the_history_knows_the_folders_that_belong_to_it(tmp_path: Path) -> None:
    repo = Repo.open(new_workspace(tmp_path / "clone").root)
    described = project(repo)
    assert described.models == repo.models
    assert described.companions == ("data", "results")
    assert described.source_root == repo.root
