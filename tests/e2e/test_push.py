"""A whole push with real models: train, publish, the same again, a rollback, another
clone.
"""

import json
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
from tests.conftest import Clone, commit_all
from tests.support import factories

pytestmark = pytest.mark.slow
LARGE = (".onnx", ".png", ".csv", ".csv.gz")


def push(team: Repo, strength: float) -> str:
    """Change params.yaml, push it, train, publish; return the message's first line."""
    git(team.root, "pull", "--quiet", "--rebase")
    (team.root / "params.yaml").write_text(factories.PARAMS % strength)
    if git(team.root, "status", "--porcelain"):
        commit_all(team.root, f"feat: C {strength}")
        git(team.root, "push", "--quiet")
    bundle = team.build / "bundle"
    train(team, [], bundle)
    _, message = publish(team, bundle, "origin", "main")
    return message.splitlines()[0]


def paths_by_digest(origin: Path) -> dict[str, str]:
    """Return a path of every object by its digest."""
    paths = {}
    for line in git(origin, "rev-list", "--objects", "main").splitlines():
        digest, _, path = line.partition(" ")
        paths[digest] = path
    return paths


def check_champion(seen: Repo, version: int) -> None:
    """Check that the files in service are those of a version."""
    folder = seen.models / "iris"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    model = OnnxModel(folder / "model.onnx")
    assert manifest["version"] == version
    assert manifest["sha256"] == model.sha256
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    assert f"# Iris species: version {version}" in card
    assert "log_loss" in card


def test_a_push_a_better_one_the_same_again_and_a_rollback(
    clone: Clone, origin: Path
) -> None:
    team = clone("team")
    assert "iris v1 promoted" in push(team, 1)
    assert "iris v2 promoted" in push(team, 10)
    before = paths_by_digest(origin)
    assert "iris v2 stays" in push(team, 10)
    after = paths_by_digest(origin)
    added = [after[digest] for digest in after.keys() - before.keys()]
    assert not [path for path in added if path.endswith(LARGE)]
    promote(team, "iris", 1, "", "origin", "main")

    seen = clone("seen")
    assert verify(seen) == []
    assert (seen.data / "iris.csv.gz").is_file()
    assert len(layout.run_folders(seen.mlruns)) == 9
    versions = registry.versions(seen.mlruns, "iris")
    decided_by = [entry.decided_by for entry in versions]
    assert decided_by == ["gate", "gate", "hand"]
    check_champion(seen, 3)
    built = build_database(seen.mlruns, seen.build / "mlflow.db")
    assert built.runs == 9
