"""A sparse checkout is checked as far as it goes, and says what it leaves out."""

from pathlib import Path

import pytest

from core.git import git
from tests.support.history_checkout import Checkout, faults_and_notices
from tests.support.history_factories import Workspace

WITHOUT_FILES = ("/*", "!/mlruns/*/*/*/artifacts/", "!/mlruns/*/*/*/models/")
LEFT_OUT = [
    WITHOUT_FILES,
    ("/*", "!/mlruns/*/*/*/run.json"),
    ("/*", "!/mlruns/housing/"),
    ("/*", "!/mlruns/registry/"),
    ("/*", "!/deployment/"),
    ("/*", "!/mlruns/"),
]


def sparse(checkout: Checkout, *patterns: str) -> Workspace:
    """Return a clone of a repository that has only the files of some patterns."""
    target = checkout.root.with_name("sparse")
    git(checkout.root.parent, "clone", "--quiet", str(checkout.root), str(target))
    git(target, "sparse-checkout", "set", "--no-cone", *patterns)
    return Workspace(target)


@pytest.mark.parametrize("patterns", LEFT_OUT, ids=lambda patterns: patterns[-1])
def test_what_is_left_out_is_no_fault(
    checkout: Checkout, patterns: tuple[str, ...]
) -> None:
    faults, notice = faults_and_notices(sparse(checkout, *patterns))
    assert faults == []
    assert "This checkout is sparse" in notice
    assert "`git sparse-checkout disable` brings all" in notice


def test_what_is_not_left_out_is_checked(checkout: Checkout) -> None:
    clone = sparse(checkout, *WITHOUT_FILES)
    path = clone.root / checkout.file.relative_to(checkout.root)
    checkout.better(path)
    faults, _ = faults_and_notices(clone)
    assert len(faults) == 1
    git(clone.root, "checkout", "--quiet", "--", ".")
    (clone.models / "housing" / "model.onnx").unlink()
    faults, _ = faults_and_notices(clone)
    assert len(faults) == 1


def test_a_file_that_git_does_not_have_is_missing_all_the_same(
    checkout: Checkout,
) -> None:
    listed = checkout.file.parent / "artifacts" / "note.txt"
    listed.unlink()
    checkout.commit("lose an artifact")
    faults, _ = faults_and_notices(sparse(checkout, *WITHOUT_FILES))
    places = [str(fault).split(":")[0] for fault in faults]
    assert [Path(place).name for place in places] == ["note.txt"]
