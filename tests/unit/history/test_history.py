"""The public API: `History`, and what the package exports."""

from pathlib import Path

import pytest

import history
from core.errors import UsageError
from history import History, Promotion, Run, layout
from tests.support.history_factories import (
    DAY_MS,
    STARTED,
    Workspace,
    add_run,
    model_id,
    new_workspace,
    promote,
    verify,
)

Files = dict[str, Path]


@pytest.fixture
def source(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> Workspace:
    return new_workspace(tmp_path / "target")


def files_of(workspace: Workspace, run: Run) -> Files:
    """Return the files of a run by their paths below its folder."""
    folder = workspace.history().folder(run.run_id)
    files = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != "run.json":
            files[name] = path
    return files


def one_model() -> dict[str, dict[str, bytes]]:
    """Return a new model with one file."""
    files = {"model.onnx": b"x"}
    return {model_id(): files}


def add_model_run(workspace: Workspace) -> Run:
    """Add a run with a model."""
    return add_run(workspace.mlruns, models=one_model())


def promoted_model(workspace: Workspace) -> tuple[Promotion, Path]:
    """Add a run and promote it; return the promotion and the folder of the model."""
    run = add_model_run(workspace)
    promotion = promote(workspace, run)
    folder = workspace.history().model_folder(run.run_id, promotion.model_id)
    return promotion, folder


def test_everything_that_is_exported_is_there() -> None:
    exported = history.__all__
    assert sorted(exported) == exported
    for name in exported:
        assert getattr(history, name)


def test_a_folder_that_does_not_exist_is_an_empty_history(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    with History.open(folder) as empty:
        assert len(empty) == 0
        assert list(empty.runs()) == []
        assert empty.newest(3) == []
        assert empty.models() == []
        assert empty.champion("housing") is None
        assert empty.verify() == []
    assert not folder.exists()


def test_runs_are_read_one_by_one(source: Workspace) -> None:
    first = add_run(source.mlruns, experiment="a", started=STARTED)
    later = add_run(source.mlruns, experiment="a", started=STARTED + DAY_MS)
    other = add_run(source.mlruns, experiment="Other one")
    with source.history() as opened:
        folder = opened.folders[later.run_id]
        (folder / "run.json").unlink()
        runs = opened.runs("a")
        assert next(runs) == first
        with pytest.raises(history.PipelineError, match="cannot be read"):
            next(runs)
        others = list(opened.runs("Other one"))
        assert others == [other]
        start = other.run_id[:12]
        assert opened.run(start) == other
        assert other.run_id in opened
        assert "0" * 32 not in opened


def test_the_folders_are_listed_once(
    source: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = add_model_run(source)
    promote(source, run)
    calls: list[Path] = []
    original = layout.run_days

    def counted(mlruns: Path) -> dict[str, Path]:
        calls.append(mlruns)
        return original(mlruns)

    monkeypatch.setattr(layout, "run_days", counted)
    with source.history() as opened:
        assert list(opened.runs()) == [run]
        assert opened.run(run.run_id) == run
        model = run.models[0]
        folder = opened.model_folder(run.run_id, model.model_id)
        assert folder.is_dir()
        assert len(opened) == 1
    assert len(calls) == 1


def test_a_run_is_added_with_its_files(source: Workspace, target: Workspace) -> None:
    files = {
        "note.txt": b"noted",
        "plots/a b.png": b"png",
    }
    run = add_run(source.mlruns, files, one_model())
    with target.history() as opened:
        folder = opened.add(run, files_of(source, run))
        assert opened.folder(run.run_id) == folder
        assert opened.run(run.run_id) == run
        assert opened.verify() == []
    added = files_of(target, run)
    assert added.keys() == files_of(source, run).keys()
    left = target.mlruns / layout.LOCAL / "adding"
    assert not left.exists()


def test_the_files_of_a_model_may_be_left_out(
    source: Workspace,
    target: Workspace,
) -> None:
    run = add_run(source.mlruns, {"a": b"a"}, one_model())
    artifacts = {}
    for name, path in files_of(source, run).items():
        if name.startswith("artifacts/"):
            artifacts[name] = path
    assert artifacts
    with target.history() as opened:
        opened.add(run, artifacts)
        assert opened.verify() == []


def test_a_run_is_added_only_once(source: Workspace, target: Workspace) -> None:
    run = add_run(source.mlruns)
    with target.history() as opened:
        opened.add(run)
        with pytest.raises(UsageError, match="is in the history already"):
            opened.add(run)
    assert verify(target) == []


def test_a_run_with_other_files_is_not_added(
    source: Workspace,
    target: Workspace,
) -> None:
    run = add_run(source.mlruns, {"note.txt": b"noted"})
    files = files_of(source, run)
    other = source.root / "other.txt"
    other.write_bytes(b"other")
    missing: Files = {}
    too_many = files | {"artifacts/more.txt": other}
    exchanged = {"artifacts/note.txt": other}
    cases: dict[str, Files] = {
        "lists artifacts/note.txt: name its file": missing,
        "does not list artifacts/more.txt": too_many,
        "is not the artifacts/note.txt": exchanged,
    }
    with target.history() as opened:
        for message, given in cases.items():
            with pytest.raises(UsageError, match=message):
                opened.add(run, given)
        assert len(opened) == 0
        opened.add(run, files)
    assert verify(target) == []


def test_a_promotion_of_another_process_is_not_overwritten(
    source: Workspace,
    target: Workspace,
) -> None:
    first, files = promoted_model(source)
    run = source.history().run(first.run_id)
    mlruns = target.mlruns
    with History.open(mlruns) as opened, History.open(mlruns) as other:
        opened.add(run)
        assert opened.champion("housing") is None  # from now on this is out of date
        path = other.promote(first, files)
        content = path.read_bytes()
        another = first.model_copy(update={"reason": "another"})
        with pytest.raises(UsageError, match="the next one is version 2"):
            opened.promote(another)
        assert path.read_bytes() == content
        assert opened.champion("housing") == first


def test_a_run_must_be_in_the_history_to_be_promoted(
    source: Workspace,
    target: Workspace,
) -> None:
    promotion, _ = promoted_model(source)
    with target.history() as opened:
        with pytest.raises(UsageError, match="is not in the history: add it first"):
            opened.promote(promotion)
        assert opened.champion("housing") is None


def test_the_last_promotion_is_the_champion(
    source: Workspace,
    target: Workspace,
) -> None:
    first, files = promoted_model(source)
    second = first.model_copy(update={"version": 2, "replaces": 1})
    with History.open(target.mlruns) as opened:
        opened.add(source.history().run(first.run_id))
        opened.promote(first, files)
        assert opened.champion("housing") == first
        with pytest.raises(UsageError, match="the next one is version 2"):
            opened.promote(first)
        opened.promote(second)
        assert opened.promotions("housing") == [first, second]
        assert opened.models() == ["housing"]
        assert opened.verify() == []
    with History.open(target.mlruns) as again:
        assert isinstance(again.champion("housing"), Promotion)
        assert again.promotions("housing") == [first, second]
