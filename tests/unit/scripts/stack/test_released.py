"""`--released`: the release in a checkout, before Docker is asked for its images."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.file_names import RELEASE
from core.files import write_atomic
from core.git import git
from scripts import start
from scripts.stack import container_metrics, released, released_images
from scripts.stack.settings import Settings, StackError
from tests.paths import ROOT
from tests.support.json_content import Json
from tests.support.released_models import commit_model, repository, write_release

SETTINGS = Settings(0, (), (), {})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a release, in place of this one."""
    root = repository(tmp_path / "repo")
    write_release(root, git(root, "rev-parse", "HEAD"))
    monkeypatch.setattr(released, "ROOT", root)
    return root


def test_compose_finds_the_images_under_their_names_in_the_registry(root: Path) -> None:
    release = released.read(SETTINGS)
    assert release.commit == git(root, "rev-parse", "HEAD")
    assert release.names == {
        "REGISTRY": "ghcr.io",
        "OWNER": "owner",
        "REPOSITORY": "name",
        "IMAGE_TAG": f"sha-{release.commit}",
    }
    elsewhere = ("registry.example.org:5000/team/o/n/mlops-api@sha256:" + "a" * 64,)
    names = replace(release, images=elsewhere).names
    assert names["REGISTRY"] == "registry.example.org:5000/team"
    assert (names["OWNER"], names["REPOSITORY"]) == ("o", "n")


def test_a_release_is_written_as_it_is_read(root: Path) -> None:
    release = released.read(SETTINGS)
    assert len(release.images) == 3
    assert released.parse(release.render()) == release


def without_images(release: Json) -> None:
    release["images"] = {}


def by_tag(release: Json) -> None:
    release["images"]["api"] = "ghcr.io/owner/name/mlops-api:latest"


def without_owner(release: Json) -> None:
    digest = "a" * 64
    release["images"] = {"api": f"mlops-api@sha256:{digest}"}


def without_models(release: Json) -> None:
    del release["models"]


def without_commit(release: Json) -> None:
    release["commit"] = 5


def with_an_option(release: Json) -> None:
    digest = "a" * 64
    image = f"--all-tags=ghcr.io/owner/name/mlops-api@sha256:{digest}"
    release["images"]["api"] = image


@pytest.mark.parametrize(
    "change",
    [
        without_images,
        by_tag,
        without_owner,
        without_models,
        without_commit,
        with_an_option,
    ],
)
def test_a_damaged_release_is_one_sentence(
    root: Path,
    change: Callable[[Json], None],
) -> None:
    path = root / RELEASE
    release = json.loads(path.read_bytes())
    change(release)
    write_atomic(path, json.dumps(release))
    with pytest.raises(StackError, match="is damaged: `git checkout -- deployment"):
        released.read(SETTINGS)


def test_no_release_and_other_models_are_one_sentence(root: Path) -> None:
    commit = git(root, "rev-parse", "HEAD")
    commit_model(root, "iris", 2)
    remedy = f"`git checkout {commit} -- deployment/models` takes them"
    with pytest.raises(StackError, match=remedy):
        released.read(SETTINGS)
    git(root, "checkout", "--quiet", commit, "--", "deployment/models")
    assert released.read(SETTINGS).commit == commit
    (root / RELEASE).unlink()
    with pytest.raises(StackError, match="or start without --released"):
        released.read(SETTINGS)


@pytest.mark.parametrize(
    ("engine", "platform", "expected"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64", "linux/arm", False),
        ("linux/amd64", "linux/arm64", False),
    ],
)
def test_an_image_runs_on_its_own_platform_alone(
    engine: str, platform: str, expected: bool
) -> None:
    assert released_images.runs(engine, platform) is expected


def run_start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the start command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.start", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_docker_a_release_cannot_be_started() -> None:
    done = run_start("--local", "--released")
    assert done.returncode == 1
    assert done.stderr == (
        "error: --released needs Docker: a release consists of images.\n"
    )


def test_following_adds_the_reconciler_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["start-mlops", "--released", "--follow"])
    flags = start._flags()
    assert flags.profiles == ["follow"]
    assert flags.without == flags.only == []


def test_following_needs_a_release() -> None:
    done = run_start("--follow")
    assert done.returncode == 2
    assert "--follow needs --released: it follows releases." in done.stderr


def test_a_reconciler_brings_the_models_that_the_checkout_lacks(root: Path) -> None:
    commit_model(root, "iris", 2)
    following = Settings(0, (), ("follow",), {})
    assert released.read(following).commit == git(root, "rev-parse", "HEAD~1")


def test_prometheus_learns_of_checks_from_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "containers.prom"
    monkeypatch.setattr(container_metrics, "PATH", path)
    metrics = container_metrics.ContainerMetrics()
    metrics.count_drift()
    metrics.write(in_sync=False)
    samples = {}
    for family in text_string_to_metric_families(path.read_text("utf-8")):
        for sample in family.samples:
            samples[sample.name] = sample.value
    assert samples["release_containers_in_sync"] == 0
    assert samples["release_container_drifts_total"] == 1
    assert samples["release_containers_checked_timestamp_seconds"] > 1.7e9
    metrics.remove()
    metrics.remove()
    assert not path.exists()
