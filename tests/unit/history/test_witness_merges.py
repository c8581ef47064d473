"""Merges of two histories are named, and what mends them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from core.git import git
from history import layout
from tests.support.history_checkout import IDENTITY, Checkout
from tests.support.history_factories import Workspace


def _diverge(checkout: Checkout, tmp_path: Path) -> Checkout:
    """Let the checkout and a clone of it each make a version 2, and the other a version
    3.
    """
    other = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(checkout.root), str(other))
    template = Checkout.__new__(Checkout)
    template.repo, template.root = Workspace(other), other
    template.publish(b"theirs, second")
    template.publish(b"theirs, third")
    (other / "page.md").write_text("fixed\n")
    template.commit("fix: a page")
    checkout.publish(b"ours, second")
    git(checkout.root, "fetch", "--quiet", str(other), "main")
    return template


WAYS: dict[str, Callable[[Checkout], object]] = {
    "ours": lambda c: c.git(*IDENTITY, "merge", "--quiet", "-X", "ours", "FETCH_HEAD"),
    "theirs": lambda c: c.git(
        *IDENTITY, "merge", "--quiet", "-X", "theirs", "FETCH_HEAD"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_merge_of_two_histories_is_named_as_what_it_is_and_can_be_mended(
    checkout: Checkout, tmp_path: Path, way: str
) -> None:
    _diverge(checkout, tmp_path)
    own = {*layout.run_folders(checkout.repo.mlruns)}
    WAYS[way](checkout)
    told = [fault for fault in checkout.faults() if "merged two histories" in fault]
    assert told and all("merge no unrelated history" in fault for fault in told)
    assert all(f"commit {checkout.head()}" in fault for fault in told)
    checkout.follow(told[0])
    assert checkout.faults() == []
    assert {*layout.run_folders(checkout.repo.mlruns)} == own
    assert (checkout.root / "page.md").is_file()


def test_a_conflict_is_named(checkout: Checkout, tmp_path: Path) -> None:
    _diverge(checkout, tmp_path)
    subprocess.run(
        ["git", *IDENTITY, "merge", "-q", "FETCH_HEAD"], cwd=checkout.root, check=False
    )
    (fault,) = [fault for fault in checkout.faults() if "merge conflict" in fault]
    assert fault.startswith("mlruns/registry/housing/2.json: ")
    checkout.git("merge", "--abort")
    assert checkout.faults() == []


def test_an_update_that_takes_code_alone_is_no_fault(
    checkout: Checkout, tmp_path: Path
) -> None:
    template = _diverge(checkout, tmp_path)
    for number in range(2):
        checkout.git(
            "merge", "--quiet", "--no-commit", "--no-ff", "-s", "ours", "FETCH_HEAD"
        )
        (checkout.root / "page.md").write_bytes(
            (template.root / "page.md").read_bytes()
        )
        checkout.commit("take the template's code")
        assert checkout.faults() == []
        template.publish(b"theirs, later")
        (template.root / "page.md").write_text(f"fixed again: {number}\n")
        template.commit("fix: a page")
        checkout.git("fetch", "--quiet", str(template.root), "main")
        checkout.publish(b"ours, later")
        assert checkout.faults() == []
