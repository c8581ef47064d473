"""Bundles and histories from which nothing is published."""

import pytest

from core.errors import PipelineError, UsageError
from core.git import git
from tests.conftest import commit_all
from tests.support.publishing_team import BETTER, Team


def test_a_bundle_from_uncommitted_changes_is_refused(team: Team) -> None:
    folder = team.write_bundle(iris=BETTER)
    path = folder / "bundle.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"dirty": []', b'"dirty": ["params.yaml"]'))
    message = r"uncommitted changes \(params.yaml\): commit and push"
    with pytest.raises(PipelineError, match=message):
        team.publish_bundle(folder)


def test_a_folder_without_a_bundle(team: Team) -> None:
    message = "has no finished bundle: run `pipeline train` first"
    with pytest.raises(UsageError, match=message):
        team.publish_bundle(team.repo.root)


def test_a_damaged_bundle(team: Team) -> None:
    folder = team.write_bundle(iris=BETTER)
    (folder / "bundle.json").write_text('{"format": 1')
    with pytest.raises(PipelineError, match="run `pipeline train` again"):
        team.publish_bundle(folder)


def test_an_altered_model_in_the_bundle_is_not_published(team: Team) -> None:
    folder = team.write_bundle(iris=BETTER)
    other = team.write_bundle(iris=BETTER)
    tip = git(team.origin.root, "rev-parse", "HEAD")
    model = next(folder.rglob("model.onnx"))
    other_model = next(other.rglob("model.onnx"))
    model.write_bytes(other_model.read_bytes())
    message = "damage the history, so nothing was published: .*model.onnx"
    with pytest.raises(PipelineError, match=message) as caught:
        team.publish_bundle(folder)
    # The user's checkout is intact, so `history verify` would not report anything.
    assert "history verify" not in str(caught.value)
    assert git(team.origin.root, "rev-parse", "HEAD") == tip


def test_a_model_in_service_that_is_not_the_champion_stops_the_publish(
    team: Team,
) -> None:
    team.publish(iris=BETTER)
    broken = team.origin
    (broken.models / "iris" / "model.onnx").write_bytes(b"another model")
    commit_all(broken.root, "fix: change the model manually")
    git(broken.root, "push", "--quiet")
    message = "model.onnx is not version 1, the champion in the registry"
    with pytest.raises(PipelineError, match=message):
        team.publish(iris=BETTER)


def test_a_registry_gap_stops_the_publish(team: Team) -> None:
    team.publish(iris=BETTER)
    broken = team.origin
    folder = broken.mlruns / "registry" / "iris"
    first = folder / "1.json"
    second = folder / "2.json"
    content = first.read_bytes()
    second.write_bytes(content.replace(b'"version": 1', b'"version": 2'))
    first.unlink()
    commit_all(broken.root, "fix: renumber a version manually")
    git(broken.root, "push", "--quiet")
    message = "version 1 is missing although version 2 is there"
    with pytest.raises(PipelineError, match=message):
        team.publish(iris=BETTER)
