"""A whole push, nothing forged: train, publish, the same again, a rollback, another
clone.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from core.onnx_model import OnnxModel
from history import build_database, layout, registry
from pipeline.publish.promote import promote
from pipeline.publish.publish import publish
from pipeline.repo import Repo
from pipeline.train.train import train
from pipeline.verification import verify
from tests.conftest import commit_all
from tests.support import factories

pytestmark = pytest.mark.slow


def push(team: Repo, strength: float) -> str:
    """Change params.yaml, push it, train and publish as the pipeline does; return the
    message.
    """
    git(team.root, "pull", "--quiet", "--rebase")
    (team.root / "params.yaml").write_text(factories.PARAMS % strength)
    if git(team.root, "status", "--porcelain"):
        commit_all(team.root, f"feat: C {strength}")
        git(team.root, "push", "--quiet")
    train(team, [], team.build / "bundle")
    return publish(team, team.build / "bundle", "origin", "main")[1]


def objects(origin: Path) -> dict[str, str]:
    """Return a path of every object by its digest."""
    listed = git(origin, "rev-list", "--objects", "main").splitlines()
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in listed}


def test_a_push_a_better_one_the_same_again_and_a_rollback(
    clone: Callable[..., Repo], origin: Path
) -> None:
    team = clone("team")
    assert "iris v1 promoted" in push(team, 1).splitlines()[0]
    assert "iris v2 promoted" in push(team, 10).splitlines()[0]
    before = objects(origin)
    assert "iris v2 stays" in push(team, 10).splitlines()[0]
    added = [path for digest, path in objects(origin).items() if digest not in before]
    assert [
        path for path in added if path.endswith((".onnx", ".png", ".csv", ".csv.gz"))
    ] == []
    promote(team, "iris", 1, "", "origin", "main")

    seen = clone("seen")
    assert verify(seen) == []
    assert (seen.data / "iris.csv.gz").is_file()
    assert len(layout.run_folders(seen.mlruns)) == 9
    assert [entry.decided_by for entry in registry.versions(seen.mlruns, "iris")] == [
        "gate",
        "gate",
        "hand",
    ]
    manifest = json.loads((seen.models / "iris" / "manifest.json").read_text("utf-8"))
    model = OnnxModel(seen.models / "iris" / "model.onnx")
    assert (manifest["version"], manifest["sha256"]) == (3, model.sha256)
    assert build_database(seen.mlruns, seen.build / "mlflow.db").runs == 9
    card = (seen.models / "iris" / "MODEL_CARD.md").read_text("utf-8")
    assert "# Iris species: version 3" in card and "log_loss" in card
