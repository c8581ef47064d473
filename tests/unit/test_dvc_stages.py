"""`dvc.yaml` and DVC's settings: what they name is there, and nothing is sent."""

import configparser
from typing import Any

import pytest
import yaml

from core.git import succeeds
from pipeline.params import TaskParams
from pipeline.repo import Repo
from pipeline.stages.cli import app
from pipeline.stages.folder import StageFolder
from tests.paths import ROOT
from tests.support.json_content import Json

STAGES: Json = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
TEXT = (ROOT / "params.yaml").read_text("utf-8")
PARAMS: Json = yaml.safe_load(TEXT)
TASKS = list(PARAMS["tasks"])
OUTPUTS = "build/dvc/"


def paths(stage: str, *kinds: str) -> list[str]:
    """Return the paths of a stage's dependencies or outputs."""
    listed = []
    for kind in kinds:
        for entry in STAGES[stage]["do"].get(kind, []):
            listed += [entry] if isinstance(entry, str) else list(entry)
    return listed


def test_there_is_a_stage_for_each_command() -> None:
    commands = [
        str(command.callback.__name__)
        for command in app.registered_commands
        if command.callback
    ]
    assert list(STAGES) == commands
    for name, stage in STAGES.items():
        assert stage["foreach"] == "${tasks}"
        assert stage["do"]["cmd"] == f"python -m pipeline stage {name} ${{key}}"


@pytest.mark.parametrize("task", TASKS)
def test_what_the_stages_depend_on_is_there(task: str) -> None:
    written: set[str] = set()
    for name, stage in STAGES.items():
        for parameter in stage["do"].get("params", []):
            value: Any = PARAMS
            for key in parameter.replace("${key}", task).split("."):
                assert key in value, f"params.yaml has no {parameter}"
                value = value[key]
        for path in paths(name, "deps"):
            path = path.replace("${key}", task)
            if path.startswith(OUTPUTS):
                assert path in written, f"{name} reads {path} before it is written"
            else:
                assert (ROOT / path).exists(), path
        for path in paths(name, "outs", "metrics", "plots"):
            written.add(path.replace("${key}", task))


def test_the_outputs_are_those_of_the_stages() -> None:
    folder = StageFolder(Repo(ROOT), "iris")
    files = vars(folder).values()
    outputs = {path.relative_to(ROOT).as_posix() for path in files}
    listed = set()
    for name in STAGES:
        for path in paths(name, "outs", "metrics", "plots"):
            listed.add(path.replace("${key}", "iris").partition("/plots/")[0])
    plots = "build/dvc/iris/plots"
    listed.discard("build/dvc/iris")
    listed |= {plots}
    assert listed == outputs


def test_git_ignores_what_dvc_writes() -> None:
    for path in (f"{OUTPUTS}iris/model.onnx", ".dvc-site-cache/x", ".dvc/cache/x"):
        assert succeeds(ROOT, "check-ignore", "--quiet", path), path
    for path in ("dvc_plots/x", ".dvc/config.local", ".dvc/tmp/x"):
        assert succeeds(ROOT, "check-ignore", "--quiet", path), path


def test_dvc_sends_nothing_and_stays_in_the_checkout() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / ".dvc" / "config")
    core = settings["core"]
    assert core["analytics"] == "false"
    assert core["check_update"] == "false"
    # Not below `.dvc`: in a subfolder DVC would take that for a project of its own.
    assert core["site_cache_dir"] == ".dvc-site-cache"


def test_no_stage_depends_on_the_settings_of_a_search() -> None:
    # `pipeline search` reads them, and no training does.
    every = {"candidates", "exclude", "folds", "holdout_sample", "row_limits"}
    named = set()
    for stage in STAGES.values():
        for parameter in stage["do"].get("params", []):
            _, _, name = parameter.partition("tasks.${key}.")
            named.add(name)
    assert named - {""} == every
    assert every | {"search"} == set(TaskParams.model_fields)
