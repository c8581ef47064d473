"""Merges of two histories are reported, with the command that undoes them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from core.git import git
from history import layout
from tests.support.history_checkout import IDENTITY, Checkout
from tests.support.history_factories import Workspace


class Clone(Checkout):
    """A clone of a checkout."""

    def __init__(self, original: Checkout, root: Path) -> None:
        git(root.parent, "clone", "--quiet", str(original.root), str(root))
        self.repo = Workspace(root)
        self.root = root


def _diverge(checkout: Checkout, tmp_path: Path) -> Clone:
    """Publish a version 2 in a checkout, and versions 2 and 3 in a clone of it."""
    other = tmp_path / "template"
    template = Clone(checkout, other)
    template.publish(b"theirs, second")
    template.publish(b"theirs, third")
    (other / "page.md").write_text("fixed\n")
    template.commit("fix: a page")
    checkout.publish(b"ours, second")
    git(checkout.root, "fetch", "--quiet", str(other), "main")
    return template


@pytest.mark.parametrize("preferred", ["ours", "theirs"])
def test_a_merge_of_two_histories_is_reported_and_can_be_undone(
    checkout: Checkout,
    tmp_path: Path,
    preferred: str,
) -> None:
    _diverge(checkout, tmp_path)
    own_runs = set(layout.run_folders(checkout.repo.mlruns))
    merge = ("merge", "--quiet", "-X", preferred, "FETCH_HEAD")
    checkout.git(*IDENTITY, *merge)
    faults = [fault for fault in checkout.faults() if "merged two histories" in fault]
    assert faults
    for fault in faults:
        assert "merge no unrelated history" in fault
        assert f"commit {checkout.head()}" in fault
    checkout.follow(faults[0])
    assert checkout.faults() == []
    assert set(layout.run_folders(checkout.repo.mlruns)) == own_runs
    assert (checkout.root / "page.md").is_file()


def test_a_conflict_is_reported(checkout: Checkout, tmp_path: Path) -> None:
    _diverge(checkout, tmp_path)
    merge = ["git", *IDENTITY, "merge", "-q", "FETCH_HEAD"]
    process = subprocess.run(merge, cwd=checkout.root, check=False)
    assert process.returncode == 1
    (fault,) = [fault for fault in checkout.faults() if "merge conflict" in fault]
    assert fault.startswith("mlruns/registry/housing/2.json: ")
    checkout.git("merge", "--abort")
    assert checkout.faults() == []


def test_an_update_that_takes_code_alone_is_not_a_fault(
    checkout: Checkout, tmp_path: Path
) -> None:
    template = _diverge(checkout, tmp_path)
    page = template.root / "page.md"
    merge = ("merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours")
    for number in range(2):
        checkout.git(*merge, "FETCH_HEAD")
        shutil.copy(page, checkout.root)
        checkout.commit("take the template's code")
        assert checkout.faults() == []
        template.publish(b"theirs, later")
        page.write_text(f"fixed again: {number}\n")
        template.commit("fix: a page")
        checkout.git("fetch", "--quiet", str(template.root), "main")
        checkout.publish(b"ours, later")
        assert checkout.faults() == []
