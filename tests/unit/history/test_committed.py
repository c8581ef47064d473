"""A history that is read from Git is the one that a checkout of the commit has."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import PipelineError
from core.git import git
from core.git_objects import Tree
from history import History, Project, layout
from history.committed import CommittedHistory
from history.location import Location
from tests.conftest import commit_all
from tests.support.history_comparison import check_same_runs, check_same_summaries
from tests.support.history_factories import STARTED, add_run, model_id, new_run
from tests.support.promoted_history import MODEL_FILES, PromotedHistory


@pytest.fixture
def promoted(tmp_path: Path) -> PromotedHistory:
    promoted = PromotedHistory(tmp_path / "clone")
    git(promoted.repo.root, "init", "--quiet")
    add_run(
        promoted.repo.mlruns,
        experiment="Other one",
        started=STARTED + 1,
    )
    return promoted


@pytest.fixture
def committed(
    promoted: PromotedHistory,
    tmp_path: Path,
) -> Callable[[], CommittedHistory]:
    """Return a function that commits everything and opens the history of the commit."""

    def open_it() -> CommittedHistory:
        root = promoted.repo.root
        commit = commit_all(root, "feat: a history")
        folder = tmp_path / "tip"
        models = folder / "deployment" / "models"
        shutil.copytree(promoted.repo.models, models)
        mlruns = folder.resolve() / "mlruns"
        location = Location(mlruns, Project(models=models))
        tree = Tree(root, commit)
        return CommittedHistory(location, tree)

    return open_it


Open = Callable[[], CommittedHistory]


def on_disk(history: History) -> list[str]:
    """Return the files that a history has in its folder, below it."""
    names = []
    for path in history.path.rglob("*"):
        if path.is_file():
            name = path.relative_to(history.path)
            names.append(name.as_posix())
    return sorted(names)


def place_of(folder: Path) -> tuple[str, ...]:
    """Return the names of a run's folder, its day and its experiment."""
    return folder.parts[-3:]


def test_everything_is_read_as_from_a_checkout(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    opened = committed()
    assert on_disk(opened) == ["registry/housing/1.json"]
    with promoted.repo.history() as checkout:
        assert len(opened) == len(checkout) == 4
        for run_id, folder in checkout.folders.items():
            assert place_of(opened.folders[run_id]) == place_of(folder)
        run_ids = {run.run_id for run in opened.summaries()}
        assert run_ids == set(checkout.folders)
        assert on_disk(opened) == ["registry/housing/1.json"]
        check_same_summaries(opened, checkout)
        check_same_runs(opened, checkout)
        run = promoted.run
        start = run.run_id[:12]
        assert opened.run(start) == run
        model = run.models[0]
        folder = opened.model_folder(run.run_id, model.model_id)
    files = {}
    for path in folder.iterdir():
        files[path.name] = path.read_bytes()
    assert files == MODEL_FILES


def test_what_is_added_is_seen_and_lies_where_a_checkout_has_it(
    promoted: PromotedHistory,
    committed: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = committed()
    monkeypatch.setattr(layout, "MOST_ENTRIES", 3)
    files = {"note.txt": b"noted"}
    run = new_run(files, {}, {})
    source = promoted.repo.root / "note.txt"
    source.write_bytes(files["note.txt"])
    artifacts = {"artifacts/note.txt": source}
    folder = opened.add(run, artifacts)
    with promoted.repo.history() as checkout:
        folder_of_checkout = checkout.add(run, artifacts)
    assert place_of(folder) == place_of(folder_of_checkout)
    assert folder.parent.name.endswith("_2")  # the day was full
    assert run.run_id in opened
    summarized = {summary.run_id for summary in opened.summaries()}
    assert run.run_id in summarized
    assert opened.run(run.run_id) == run
    assert opened.verify([run.run_id]) == []
    note = folder / "artifacts" / "note.txt"
    note.write_bytes(b"other")
    (fault,) = opened.verify([run.run_id])
    assert "was altered" in fault.reason


def test_a_run_that_was_committed_is_checked_byte_for_byte(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    note = promoted.folder / "artifacts" / "note.txt"
    note.write_bytes(b"other")
    opened = committed()
    assert opened.verify([promoted.sibling.run_id]) == []
    (fault,) = opened.verify([promoted.run.run_id])
    assert fault.file.endswith("note.txt")
    assert opened.verify() == [fault]


def drop_the_model(promoted: PromotedHistory) -> None:
    (promoted.model / "model.onnx").unlink()


def drop_the_run(promoted: PromotedHistory) -> None:
    shutil.rmtree(promoted.folder)


def promote_another_file(promoted: PromotedHistory) -> None:
    promoted.edit(promoted.promotion_file, sha256="0" * 64)


def list_a_model_twice(promoted: PromotedHistory) -> None:
    taken = promoted.run.models[0].model_id
    add_run(promoted.repo.mlruns, models={taken: MODEL_FILES})


def leave_a_file_among_the_runs(promoted: PromotedHistory) -> None:
    day = promoted.folder.parent
    experiment = day.parent
    (day / "notes.txt").write_text("x")
    (experiment / "notes.txt").write_text("x")


DAMAGE = [
    drop_the_model,
    drop_the_run,
    promote_another_file,
    PromotedHistory.delete_version_2_of_3,
    list_a_model_twice,
    leave_a_file_among_the_runs,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_around_an_added_run_is_found_as_in_a_checkout(
    promoted: PromotedHistory,
    committed: Open,
    damage: Callable[[PromotedHistory], None],
) -> None:
    damage(promoted)
    models = {model_id(): MODEL_FILES}
    added = add_run(promoted.repo.mlruns, models=models)
    with promoted.repo.history() as checkout:
        expected = checkout.verify([added.run_id])
    assert expected
    faults = committed().verify([added.run_id])
    reasons = [fault.reason for fault in faults]
    assert reasons == [fault.reason for fault in expected]


def test_a_damaged_run_is_named_when_summaries_are_read(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    promoted.run_file.write_text('{"format": 1')
    opened = committed()
    with pytest.raises(PipelineError, match=r"run\.json: is not whole JSON"):
        list(opened.summaries())


def test_a_run_in_two_folders_is_refused(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    day = promoted.folder.parent
    other_day = day.with_name("2020-01-01")
    shutil.copytree(promoted.folder, other_day / promoted.folder.name)
    with pytest.raises(PipelineError, match="lies in two folders"):
        committed()


def test_a_folder_without_its_run_file_is_named(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    folder = promoted.folder.with_name("0" * 32)
    folder.mkdir()
    (folder / "notes.txt").write_text("x")
    with pytest.raises(PipelineError, match=r"0{32}/run\.json: is not there"):
        list(committed().summaries())


def test_models_that_are_known_are_not_read_again(
    promoted: PromotedHistory,
    committed: Open,
) -> None:
    models = {model_id(): MODEL_FILES}
    added = add_run(promoted.repo.mlruns, models=models)
    sibling = promoted.sibling.run_id
    day = promoted.folder.parent
    promoted.edit(day / sibling / "run.json", format=2)
    opened = committed()
    models_read: dict[str, list[str]] = {}
    for run_id in opened.folders:
        models_read[run_id] = []
    taken = added.models[0].model_id
    models_read[sibling] = [taken]
    opened.take_models_as_read(models_read)
    (fault,) = opened.verify([added.run_id])
    assert fault.reason == f"lists the model {taken}, which another run lists"
