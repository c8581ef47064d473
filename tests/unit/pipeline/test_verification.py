"""The history's commands on the pipeline's repository."""

from pathlib import Path

from typer.testing import CliRunner, Result

from pipeline.cli import app
from pipeline.repo import Repo
from pipeline.verification import project, verify
from tests.support.history_factories import add_run, model_id, new_workspace, promote


def open_workspace(folder: Path) -> Repo:
    workspace = new_workspace(folder / "clone")
    return Repo.open(workspace.root)


def test_the_history_s_commands_work_on_the_repository(tmp_path: Path) -> None:
    repo = open_workspace(tmp_path)
    models = {model_id(): {"model.onnx": b"x"}}
    run = add_run(repo.mlruns, {}, models)
    promote(repo, run)

    def call(argument: str) -> Result:
        command = ["--repo", str(repo.root), "history", argument]
        return CliRunner().invoke(app, command)

    assert call("build").exit_code == 0
    assert (repo.build / "mlflow.db").is_file()
    assert call("verify").exit_code == 0
    (repo.models / "housing" / "model.onnx").write_bytes(b"y")
    fault = "deployment/models/housing/model.onnx: is not the champion, version 1"
    assert call("verify").stdout == f"{fault}\n"
    assert [str(each) for each in verify(repo)] == [fault]
    assert "--folder" not in call("--help").stdout


def test_the_history_knows_the_folders_that_belong_to_it(tmp_path: Path) -> None:
    repo = open_workspace(tmp_path)
    described = project(repo)
    assert described.models == repo.models
    assert described.companions == ("data", "results")
    assert described.source_root == repo.root
