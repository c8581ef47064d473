"""`deployment/release.json`: what it holds, how it is read, and how it is verified."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PipelineError
from core.file_names import RELEASE, is_owned
from core.git import git
from pipeline.release import content
from pipeline.release.faults import find_faults
from pipeline.release.schema import Release, UnknownCommit
from pipeline.repo import Repo
from pipeline.verification import verify
from tests.support.json_content import Json
from tests.support.released_models import (
    IMAGES,
    commit_model,
    release_of,
    repository,
    write_release,
)

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
tasks = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
versions = st.integers(0, 10**6)
models = st.fixed_dictionaries({"version": versions, "sha256": digests})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = repository(tmp_path / "repo")
    commit_model(root, "housing", 3)
    return root


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


def test_it_names_the_commit_the_images_and_the_models(root: Path) -> None:
    text = release_of(root, head(root))
    release = Release.parse(text)
    assert release.commit == head(root)
    assert release.images == IMAGES
    assert {task: model.version for task, model in release.models.items()} == {
        "housing": 3,
        "iris": 1,
    }
    release.require_models(root)
    # One line for each image and each model, so that a diff shows what changes.
    assert text.count("\n") == 13


def test_only_the_pipelines_own_commits_write_it() -> None:
    assert is_owned(RELEASE)
    assert not is_owned("deployment/haproxy/haproxy.cfg")


@settings(max_examples=30)
@given(st.dictionaries(tasks, models, max_size=5), st.text("0123456789abcdef"))
def test_what_is_written_is_read_again(written: dict[str, Json], start: str) -> None:
    commit = start[:40].ljust(40, "0")
    text = content.render(commit, IMAGES, written)
    release = Release.parse(text)
    assert release.render() == text
    assert release.model_dump()["models"] == written


def without_models(release: Json) -> None:
    del release["models"]


def by_tag(release: Json) -> None:
    release["images"]["api"] = "ghcr.io/owner/name/mlops-api:latest"


def short_commit(release: Json) -> None:
    release["commit"] = release["commit"][:7]


def unknown_key(release: Json) -> None:
    release["environment"] = "production"


def later_format(release: Json) -> None:
    release["format"] = 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (without_models, "models: Field required"),
        (by_tag, "images.api: String should match"),
        (short_commit, "commit: String should match"),
        (unknown_key, "environment: Extra inputs"),
        (later_format, "format: Input should be 1"),
    ],
)
def test_a_fault_of_the_file_is_one_sentence_with_its_place(
    root: Path, change: Callable[[Json], None], place: str
) -> None:
    release = json.loads(release_of(root, head(root)))
    change(release)
    with pytest.raises(PipelineError) as raised:
        Release.parse(json.dumps(release))
    message = str(raised.value)
    assert message.startswith(f"{RELEASE}: {place}")
    assert f"`git log -- {RELEASE}`" in message
    assert "\n" not in message


def test_a_file_that_was_formatted_by_hand_is_refused(root: Path) -> None:
    release = json.loads(release_of(root, head(root)))
    with pytest.raises(PipelineError, match="not written as the workflow writes it"):
        Release.parse(json.dumps(release))


def test_another_model_than_the_commits_is_refused(root: Path) -> None:
    first = head(root)
    later = commit_model(root, "housing", 4)
    release = Release.parse(release_of(root, later))
    mixed = release.model_copy(update={"commit": first})
    with pytest.raises(PipelineError, match="the model of housing is not the one"):
        mixed.require_models(root)
    unknown = release.model_copy(update={"commit": "f" * 40})
    with pytest.raises(UnknownCommit, match="this clone does not hold"):
        unknown.require_models(root)


def test_a_model_without_its_file_cannot_be_released(root: Path) -> None:
    (root / "deployment/models/iris/model.onnx").unlink()
    git(root, "add", "--all")
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    git(root, *identity, "commit", "--quiet", "--message", "fix: gone")
    with pytest.raises(PipelineError, match="deployment/models/iris of commit"):
        content.models_at(root, head(root))


def test_verify_names_a_release_that_does_not_fit_its_commit(root: Path) -> None:
    notices: list[str] = []
    assert find_faults(root, notices.append) == []
    commit = head(root)
    write_release(root, commit)
    assert find_faults(root, notices.append) == []

    path = root / RELEASE
    text = path.read_text("utf-8")
    changed = text.replace(commit, "e" * 40)
    path.write_text(changed, "utf-8", newline="\n")
    assert find_faults(root, notices.append) == []
    assert "e" * 12 in notices[0]

    path.write_text(text.replace('"version": 3', '"version": 2'), "utf-8", newline="\n")
    (fault,) = find_faults(root, notices.append)
    assert fault.file == RELEASE
    assert fault.reason.startswith("the model of housing is not the one that commit")
    # `pipeline history verify` reports it among the faults of the history.
    assert fault in verify(Repo.open(root))
