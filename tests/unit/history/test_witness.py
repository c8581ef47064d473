"""Changes of files that are written once are reported, with the commit and a remedy."""

import shutil

import pytest

from history import layout, prune, registry
from tests.support.history_checkout import IDENTITY, Checkout
from tests.support.history_factories import DAY_MS, STARTED, add_run


def test_a_history_with_additions_alone_has_no_fault(checkout: Checkout) -> None:
    checkout.publish(b"better")
    add_run(checkout.repo.mlruns, {"new.txt": b"not yet in Git"})
    assert checkout.faults() == []


def test_an_edited_metric_is_reported_with_its_commit_and_can_be_restored(
    checkout: Checkout,
) -> None:
    checkout.better()
    edited = checkout.commit("a better metric")[:12]
    checkout.publish(b"later")
    fault = checkout.only_fault()
    place = checkout.place(checkout.file)
    assert fault.startswith(f"{place}: was changed in commit {edited}:")
    checkout.follow(fault)
    assert checkout.faults() == []


def test_an_edited_promotion_is_reported_with_its_commit_and_can_be_restored(
    checkout: Checkout,
) -> None:
    path = checkout.better_promotion()
    edited = checkout.commit("a better promotion")[:12]
    fault = checkout.only_fault()
    place = checkout.place(path)
    assert fault.startswith(f"{place}: was changed in commit {edited}:")
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("hide", ["", "--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_is_not_committed_is_reported(
    checkout: Checkout, hide: str
) -> None:
    if hide:
        checkout.git("update-index", hide, checkout.place(checkout.file))
    checkout.better()
    fault = checkout.only_fault()
    assert "was changed since it was committed" in fault
    if not hide:
        checkout.follow(fault)
        assert checkout.faults() == []


def test_an_edit_that_is_staged_alone_is_reported(checkout: Checkout) -> None:
    original = checkout.file.read_bytes()
    checkout.better()
    checkout.git("add", "--all")
    checkout.file.write_bytes(original)
    fault = checkout.only_fault()
    assert "is staged with a change" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


@pytest.mark.parametrize("merge", ["--no-ff", "--ff"])
def test_an_edit_on_a_branch_is_reported_after_the_merge(
    checkout: Checkout, merge: str
) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    run_file = checkout.run_file(run)
    checkout.publish(b"better")
    checkout.better(run_file)
    promotion_file = checkout.better_promotion(2)
    edited = checkout.commit("better")[:12]
    checkout.git("switch", "--quiet", "main")
    checkout.git("merge", "--quiet", "--no-edit", merge, "notebook")
    files = []
    faults = checkout.faults()
    for fault in faults:
        file, _, reason = fault.partition(": ")
        assert f"was changed in commit {edited}" in reason
        files.append(file)
    edited_files = [checkout.place(run_file), checkout.place(promotion_file)]
    assert sorted(files) == sorted(edited_files)
    checkout.follow_all(faults)
    assert checkout.faults() == []


def test_an_edit_within_a_merge_is_reported(checkout: Checkout) -> None:
    checkout.git("switch", "--quiet", "--create", "notebook")
    run = add_run(checkout.repo.mlruns)
    checkout.commit("a run")
    checkout.git("switch", "--quiet", "main")
    checkout.publish(b"meanwhile")
    checkout.git("merge", "--quiet", "--no-ff", "--no-commit", "notebook")
    checkout.better(checkout.run_file(run))
    checkout.better()
    merged = checkout.commit("merge")[:12]
    faults = checkout.faults()
    assert len(faults) == 2
    assert all(f"was changed in commit {merged}" in fault for fault in faults)
    checkout.follow_all(faults)
    assert checkout.faults() == []


@pytest.mark.parametrize("suffix", ["", "_2"])
def test_a_run_that_was_deleted_and_added_with_a_change_is_reported(
    checkout: Checkout, suffix: str
) -> None:
    folder = checkout.file.parent
    day = folder.parent
    kept = checkout.root / "kept"
    folder.rename(kept)
    checkout.commit("delete a run")
    target_day = day.with_name(f"{day.name}{suffix}")
    target_day.mkdir(exist_ok=True)
    target = target_day / folder.name
    kept.rename(target)
    checkout.better(target / layout.RUN_FILE)
    checkout.commit("add it again")
    (fault,) = [fault for fault in checkout.faults() if "run.json" in fault]
    assert "was changed in commit" in fault


def test_a_deleted_promotion_is_reported_and_can_be_restored(
    checkout: Checkout,
) -> None:
    checkout.publish(b"better")
    checkout.git(*IDENTITY, "revert", "--no-edit", "HEAD")
    reverted = checkout.head()
    fault = checkout.only_fault()
    message = f"mlruns/registry/housing/2.json: was deleted in commit {reverted}"
    assert fault.startswith(message)
    assert "promote it again" in fault
    checkout.follow(fault)
    assert checkout.faults() == []


def test_a_promotion_deleted_in_the_work_tree_is_reported(checkout: Checkout) -> None:
    checkout.publish(b"better")
    registry.path_of(checkout.repo.mlruns, "housing", 2).unlink()
    message = "was deleted; promotions are kept for ever"
    assert any(message in fault for fault in checkout.faults())


def test_a_new_history_may_use_the_numbers_of_versions_again(
    checkout: Checkout,
) -> None:
    checkout.publish(b"second")
    shutil.rmtree(checkout.repo.mlruns)
    shutil.rmtree(checkout.repo.models)
    assert checkout.faults() == []
    checkout.commit("a history of our own")
    assert checkout.faults() == []
    checkout.publish(b"ours")
    assert checkout.faults() == []


def test_pruned_runs_are_not_a_fault(checkout: Checkout) -> None:
    year_ago = STARTED - 400 * DAY_MS
    for number in range(22):
        add_run(checkout.repo.mlruns, started=year_ago + number)
    checkout.commit("runs")
    assert prune.prune(checkout.repo.history())
    assert checkout.faults() == []
    checkout.commit("prune")
    assert checkout.faults() == []
