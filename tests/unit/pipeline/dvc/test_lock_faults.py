"""`dvc.lock` against `params.yaml`, the table and the champion: what disagrees."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.git import git
from core.manifest import DataSource, Manifest
from pipeline import tasks
from pipeline.data import table as tables
from pipeline.dvc import lock_faults
from pipeline.repo import Repo
from tests.conftest import commit_all
from tests.paths import ROOT
from tests.support.generated_rows import rows

IRIS = tasks.load("iris")
TABLE = rows(IRIS, 20)
SECTION = {"folds": 3, "candidates": {"logistic_regression": {"C": 1}}}
PARAMS = {"seed": 1, "holdout_share": 0.2, "tasks": {"iris": SECTION}}
MODEL = "a" * 64


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A checkout whose `dvc.lock` describes the training that repo the champion."""
    git(tmp_path, "init", "--quiet")
    repo = Repo(tmp_path)
    write_yaml(repo.params, PARAMS)
    tables.write(repo.data / "iris.csv.gz", TABLE)
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "code.py").write_text("x = 1\n")
    write_lock(repo, tables.digest(TABLE), MODEL)
    commit = commit_all(tmp_path, "feat: begin")
    write_champion(repo, tables.digest(TABLE), MODEL, commit)
    return repo


def write_yaml(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def md5(digest: str) -> str:
    return hashlib.md5(f"{digest}\n".encode()).hexdigest()


def write_lock(repo: Repo, table: str, model: str) -> None:
    """Write a `dvc.lock` as DVC does, of stages that wrote these digests."""
    folder = "build/dvc/iris"
    params = {"seed": 1, "holdout_share": 0.2, "tasks.iris": SECTION}
    stages: dict[str, Any] = {
        "prepare@iris": {
            "outs": [{"path": f"{folder}/table.sha256", "md5": md5(table)}]
        },
        "evaluate@iris": {
            "outs": [{"path": f"{folder}/model.sha256", "md5": md5(model)}]
        },
        "register@iris": {"params": {"params.yaml": params}},
    }
    write_yaml(repo.root / "dvc.lock", {"schema": "2.0", "stages": stages})


def write_champion(repo: Repo, table: str, model: str, commit: str) -> None:
    """Write the manifest of a champion, as a promotion does."""
    served = Manifest.read(ROOT / "deployment" / "models" / "iris" / "manifest.json")
    data = DataSource(rows=20, digest=table, source="s", licence="l")
    update = {"version": 4, "commit": commit, "sha256": model, "data": data}
    champion = served.model_copy(update=update)
    path = repo.models / "iris" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(champion.render(), "utf-8")


def faults(repo: Repo) -> list[str]:
    return [str(fault) for fault in lock_faults.find_faults(repo)]


def test_a_lock_of_the_champions_training_agrees(repo: Repo) -> None:
    assert faults(repo) == []


def test_without_a_lock_nothing_disagrees(repo: Repo) -> None:
    (repo.root / "dvc.lock").unlink()
    assert faults(repo) == []


def test_another_parameter_is_named(repo: Repo) -> None:
    changed = {"folds": 3, "candidates": {"logistic_regression": {"C": 2}}}
    write_yaml(repo.params, PARAMS | {"tasks": {"iris": changed}})
    assert faults(repo) == [
        "dvc.lock: iris was run with tasks.iris.candidates.logistic_regression.C = 1,"
        " and params.yaml has 2: run `dvc repro` and commit dvc.lock"
    ]


def test_a_parameter_that_is_gone_or_new_is_named(repo: Repo) -> None:
    write_yaml(repo.params, PARAMS | {"tasks": {"iris": SECTION | {"exclude": []}}})
    (fault,) = faults(repo)
    assert "tasks.iris.exclude = no value, and params.yaml has []" in fault
    write_yaml(repo.params, PARAMS | {"tasks": {}})
    (fault,) = faults(repo)
    assert "and params.yaml has None" in fault


def test_another_table_is_named(repo: Repo) -> None:
    tables.write(repo.data / "iris.csv.gz", rows(IRIS, 20, seed=1))
    assert faults(repo) == [
        "dvc.lock: iris was run with another table than data/iris.csv.gz: run `dvc"
        " repro` and commit dvc.lock"
    ]


def test_another_model_of_the_same_training_is_named(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), "b" * 64)
    (fault,) = faults(repo)
    assert fault.startswith(
        "dvc.lock: iris has another model than version 4 in service"
    )
    assert "the same parameters, data and code" in fault


def test_a_challenger_of_other_code_may_have_another_model(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), "b" * 64)
    (repo.root / "core" / "code.py").write_text("x = 2\n")
    assert faults(repo) == []


def test_a_challenger_of_other_parameters_may_have_another_model(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), "b" * 64)
    text = (repo.root / "dvc.lock").read_text("utf-8").replace("C: 1", "C: 3")
    (repo.root / "dvc.lock").write_text(text)
    repo.params.write_text(repo.params.read_text("utf-8").replace("C: 1", "C: 3"))
    assert faults(repo) == []


@pytest.mark.parametrize("text", ["stages: [", "stages: 3"])
def test_a_damaged_lock_is_a_fault(repo: Repo, text: str) -> None:
    (repo.root / "dvc.lock").write_text(text)
    (fault,) = faults(repo)
    assert fault.startswith("dvc.lock: ")
