"""Files that are written once and were changed are named, with the commit and a remedy."""

import shutil

import pytest

from history import layout, prune, registry
from tests.support.history_checkout import IDENTITY, Checkout
from tests.support.history_factories import DAY_MS, STARTED, add_run


def test_a_history_that_only_grew_has_no_fault(checkout: Checkout) -> None:
    checkout.publish(b"better")
    add_run(checkout.repo.mlruns, {"new.txt": b"not yet in Git"})
    assert checkout.faults() == []


def test_an_edited_metric_is_named_with_its_commit_and_can_be_mended(
    checkout: Checkout,
) -> None:
    checkout.better()
    edited = checkout.commit("a better metric")[:12]
    checkout.publish(b"later")
    fault = checkout.only_fault()
    assert fault.startswith(
        f"{checkout.place(checkout.file)}: was changed in commit {edited}:"
    )
    checkout.follow(fault)
    assert checkout.faults() == []


def test_an_edited_promotion_is_named_with_its_commit_and_can_be_mended(
    checkout: Checkout,
) -> None:
    path = checkout.better_promotion()
    edited = checkout.commit("a better promotion")[:12]
    fault = checkout.only_fault()
    assert fault.startswith(f"{checkout.place(path)}: was changed in commit {edited}:")
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("hide", ["", "--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_is_not_committed_is_named(checkout: Checkout, hide: str) -> None:
    if hide:
        checkout.git("update-index", hide, checkout.place(checkout.file))
    checkout.better()
    fault = checkout.only_fault()
    assert "was changed since it was committed" in fault
    if not hide:
        checkout.follow(fault)
        assert checkout.faults() == []


def test_an_edit_that_is_staged_alone_is_named(checkout: Checkout) -> None:
    original = checkout.file.read_bytes()
    checkout.better()
    checkout.git("add", "--all")
    checkout.file.write_bytes(original)
    fault = checkout.only_fault()
    assert "is staged with a change" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("merge", ["--no-ff", "--ff"])
def test_an_edit_on_a_branch_is_named_after_the_merge(
    checkout: Checkout, merge: str
) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    file = layout.run_folders(checkout.repo.mlruns)[run.run_id] / "run.json"
    promoted = checkout.publish(b"better")
    checkout.better(file)
    path = checkout.better_promotion(2)
    edited = checkout.commit("better")[:12]
    checkout.git("switch", "--quiet", "main")
    checkout.git("merge", "--quiet", "--no-edit", merge, "notebook")
    named = {checkout.place(file), checkout.place(path)}
    faults = checkout.faults()
    assert {fault.partition(":")[0] for fault in faults} == named, promoted.run_id
    assert all(f"was changed in commit {edited}" in fault for fault in faults)
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


def test_an_edit_within_a_merge_is_named(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    file = layout.run_folders(checkout.repo.mlruns)[run.run_id] / "run.json"
    checkout.git("switch", "--quiet", "main")
    checkout.publish(b"meanwhile")
    checkout.git("merge", "--quiet", "--no-ff", "--no-commit", "notebook")
    checkout.better(file)
    checkout.better()
    merged = checkout.commit("merge")[:12]
    faults = checkout.faults()
    assert len(faults) == 2
    assert all(f"was changed in commit {merged}" in fault for fault in faults)
    for fault in faults:
        checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_run_that_was_deleted_and_came_again_as_another_is_named(
    checkout: Checkout, elsewhere: bool
) -> None:
    folder, file = checkout.file.parent, checkout.file
    kept = checkout.root / "kept"
    folder.rename(kept)
    checkout.commit("away")
    target = (
        folder.parent.with_name(f"{folder.parent.name}_2") / folder.name
        if elsewhere
        else folder
    )
    target.parent.mkdir(exist_ok=True)
    kept.rename(target)
    checkout.better(target / file.name)
    checkout.commit("again")
    (fault,) = [fault for fault in checkout.faults() if "run.json" in fault]
    assert "was changed in commit" in fault


def test_a_deleted_promotion_is_named_and_can_be_mended(checkout: Checkout) -> None:
    checkout.publish(b"better")
    checkout.git(*IDENTITY, "revert", "--no-edit", "HEAD")
    reverted = checkout.head()
    fault = checkout.only_fault()
    assert fault.startswith(
        f"mlruns/registry/housing/2.json: was deleted in commit {reverted}"
    )
    assert "promote it again" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


def test_a_promotion_deleted_in_the_work_tree_is_named(checkout: Checkout) -> None:
    checkout.publish(b"better")
    registry.path_of(checkout.repo.mlruns, "housing", 2).unlink()
    assert any(
        "was deleted; promotions are kept for ever" in fault
        for fault in checkout.faults()
    )


def test_a_history_begun_anew_may_use_its_numbers_again(checkout: Checkout) -> None:
    checkout.publish(b"second")
    shutil.rmtree(checkout.repo.mlruns)
    shutil.rmtree(checkout.repo.models)
    assert checkout.faults() == []
    checkout.commit("a history of our own")
    assert checkout.faults() == []
    checkout.publish(b"ours")
    assert checkout.faults() == []


def test_pruned_runs_are_no_fault(checkout: Checkout) -> None:
    for later in range(22):
        add_run(checkout.repo.mlruns, started=STARTED - 400 * DAY_MS + later)
    checkout.commit("runs")
    assert prune.prune(checkout.repo.history())
    assert checkout.faults() == []
    checkout.commit("prune")
    assert checkout.faults() == []
