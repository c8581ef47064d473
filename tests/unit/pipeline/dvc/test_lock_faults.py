"""`dvc.lock` against `params.yaml`, the table and the champion: what disagrees."""

import hashlib
from pathlib import Path

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
from tests.support.json_content import Json

IRIS = tasks.load("iris")
TABLE = rows(IRIS, 20)
SECTION = {"folds": 3, "candidates": {"logistic_regression": {"C": 1}}}
PARAMS = {
    "seed": 1,
    "holdout_share": 0.2,
    "tasks": {"iris": SECTION},
}
MODEL = "a" * 64
OTHER_MODEL = "b" * 64
TABLE_FILE = "iris.csv.gz"
SERVED = ROOT / "deployment" / "models" / "iris" / "manifest.json"

pytestmark = pytest.mark.skipif(not SERVED.is_file(), reason="iris has no champion yet")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A checkout whose `dvc.lock` describes the training that made the champion."""
    git(tmp_path, "init", "--quiet")
    repo = Repo(tmp_path)
    write_yaml(repo.params, PARAMS)
    tables.write(repo.data / TABLE_FILE, TABLE)
    code_file(repo).parent.mkdir()
    code_file(repo).write_text("x = 1\n")
    digest = tables.digest(TABLE)
    write_lock(repo, digest, MODEL)
    commit = commit_all(tmp_path, "feat: begin")
    write_champion(repo, digest, MODEL, commit)
    return repo


def lock_file(repo: Repo) -> Path:
    return repo.root / "dvc.lock"


def code_file(repo: Repo) -> Path:
    return repo.root / "core" / "code.py"


def write_yaml(path: Path, content: object) -> None:
    text = yaml.safe_dump(content, sort_keys=False)
    path.write_text(text)


def md5(digest: str) -> str:
    content = f"{digest}\n".encode()
    return hashlib.md5(content).hexdigest()


def write_lock(repo: Repo, table: str, model: str) -> None:
    """Write a `dvc.lock` as DVC does, of stages that wrote these digests."""
    folder = "build/dvc/iris"
    params = {
        "seed": 1,
        "holdout_share": 0.2,
        "tasks.iris": SECTION,
    }
    table_digest = {"path": f"{folder}/table.sha256", "md5": md5(table)}
    model_digest = {"path": f"{folder}/model.sha256", "md5": md5(model)}
    stages: Json = {
        "prepare@iris": {"outs": [table_digest]},
        "evaluate@iris": {"outs": [model_digest]},
        "register@iris": {"params": {"params.yaml": params}},
    }
    content = {"schema": "2.0", "stages": stages}
    write_yaml(lock_file(repo), content)


def write_champion(repo: Repo, table: str, model: str, commit: str) -> None:
    """Write the manifest of a champion, as a promotion does."""
    served = Manifest.read(SERVED)
    data = DataSource(rows=20, digest=table, source="s", licence="l")
    update = {
        "version": 4,
        "commit": commit,
        "sha256": model,
        "data": data,
    }
    champion = served.model_copy(update=update)
    path = repo.models / "iris" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(champion.render(), "utf-8")


def faults(repo: Repo) -> list[str]:
    return [str(fault) for fault in lock_faults.find_faults(repo)]


def test_a_lock_of_the_champions_training_agrees(repo: Repo) -> None:
    assert faults(repo) == []


def test_without_a_lock_nothing_disagrees(repo: Repo) -> None:
    lock_file(repo).unlink()
    assert faults(repo) == []


def write_params(repo: Repo, sections: dict[str, object]) -> None:
    """Write the parameters with the sections of some tasks."""
    content = PARAMS | {"tasks": sections}
    write_yaml(repo.params, content)


def test_another_parameter_is_named(repo: Repo) -> None:
    candidates = {"logistic_regression": {"C": 2}}
    changed = SECTION | {"candidates": candidates}
    write_params(repo, {"iris": changed})
    assert faults(repo) == [
        "dvc.lock: iris was run with tasks.iris.candidates.logistic_regression.C = 1,"
        " and params.yaml has 2: run `dvc repro` and commit dvc.lock"
    ]


def test_a_parameter_that_is_gone_or_new_is_named(repo: Repo) -> None:
    with_exclude = SECTION | {"exclude": []}
    write_params(repo, {"iris": with_exclude})
    (fault,) = faults(repo)
    assert "tasks.iris.exclude = no value, and params.yaml has []" in fault
    write_params(repo, {})
    (fault,) = faults(repo)
    assert "and params.yaml has None" in fault


def test_another_table_is_named(repo: Repo) -> None:
    other_table = rows(IRIS, 20, seed=1)
    tables.write(repo.data / TABLE_FILE, other_table)
    assert faults(repo) == [
        "dvc.lock: iris was run with another table than data/iris.csv.gz: run `dvc"
        " repro` and commit dvc.lock"
    ]


def test_another_model_of_the_same_training_is_named(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), OTHER_MODEL)
    (fault,) = faults(repo)
    assert fault.startswith(
        "dvc.lock: iris has another model than version 4 in service"
    )
    assert "the same parameters, data and code" in fault


def test_a_challenger_of_other_code_may_have_another_model(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), OTHER_MODEL)
    code_file(repo).write_text("x = 2\n")
    assert faults(repo) == []


def test_a_challenger_of_other_parameters_may_have_another_model(repo: Repo) -> None:
    write_lock(repo, tables.digest(TABLE), OTHER_MODEL)
    for path in (lock_file(repo), repo.params):
        text = path.read_text("utf-8")
        changed = text.replace("C: 1", "C: 3")
        path.write_text(changed)
    assert faults(repo) == []


@pytest.mark.parametrize("text", ["stages: [", "stages: 3"])
def test_a_damaged_lock_is_a_fault(repo: Repo, text: str) -> None:
    lock_file(repo).write_text(text)
    (fault,) = faults(repo)
    assert fault.startswith("dvc.lock: ")
