"""The copy of the branch that a job publishes to: it fetches what the checkout lacks."""

from pathlib import Path

import pytest

from core.git import git
from scripts.ci.origin import Origin
from scripts.ci.publish import Publication
from tests.conftest import commit_all, make_origin


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with two commits, of which a clone may take a part."""
    bare = make_origin(tmp_path)
    git(bare, "config", "uploadpack.allowFilter", "true")
    push(tmp_path / "seed", bare, "one")
    return bare


def push(seed: Path, origin: Path, name: str) -> str:
    """Push a commit with a file of this name, and return the commit."""
    (seed / name).write_text(name)
    commit = commit_all(seed, f"feat: {name}")
    git(seed, "push", "--quiet", str(origin), "HEAD:main")
    return commit


def fetched(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the copy in the clone in `tmp_path`, fetch the tip, and return the copy."""
    monkeypatch.chdir(tmp_path / "clone")
    folder = tmp_path / "work"
    folder.mkdir()
    publication = Publication(Origin(origin.as_uri(), {}), folder, "main", "main")
    tip = publication.fetch(0)
    assert tip == git(origin, "rev-parse", "main")
    return publication.copy


def own_objects(copy: Path) -> int:
    """Return how many objects a repository has itself."""
    counts = dict(
        line.split(": ")
        for line in git(copy, "count-objects", "-v").splitlines()
        if not line.startswith("alternate")
    )
    return int(counts["count"]) + int(counts["in-pack"])


@pytest.mark.parametrize("options", [[], ["--filter=blob:limit=1g"]])
def test_a_whole_checkout_lends_its_objects(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    git(tmp_path, "clone", "--quiet", *options, origin.as_uri(), "clone")
    push(tmp_path / "seed", origin, "two")
    copy = fetched(origin, tmp_path, monkeypatch)
    assert own_objects(copy) == 3  # the commit, its folder and its file
    assert git(copy, "fsck", "--connectivity-only", "main") == ""


@pytest.mark.parametrize("options", [["--depth=1"], ["--filter=blob:none"]])
def test_a_checkout_that_lacks_objects_lends_none(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    git(tmp_path, "clone", "--quiet", *options, origin.as_uri(), "clone")
    copy = fetched(origin, tmp_path, monkeypatch)
    assert own_objects(copy) == int(
        git(origin, "rev-list", "--objects", "--count", "main")
    )
