"""Each kind of damage to the files and folders of runs is reported with the path."""

import shutil
from pathlib import Path

import pytest

from history import Fault, layout
from tests.conftest import posix
from tests.support.history_factories import add_run, model_id, verify
from tests.support.promoted_history import Damage, PromotedHistory

DAMAGES = {
    "a missing artifact": Damage(
        lambda history: (history.folder / "artifacts" / "note.txt").unlink(),
        "{folder}/artifacts/note.txt",
        "is missing",
    ),
    "an altered artifact": Damage(
        lambda history: (
            history.folder / "artifacts" / "plots" / "roc.png"
        ).write_bytes(b"gnp"),
        "{folder}/artifacts/plots/roc.png",
        "was altered",
    ),
    "an unlisted artifact": Damage(
        lambda history: (
            history.folder / "artifacts" / "plots" / "more.png"
        ).write_bytes(b""),
        "{folder}/artifacts/plots/more.png",
        "is not in run.json",
    ),
    "a link instead of a file": Damage(
        lambda history: (history.folder / "artifacts" / "link").symlink_to(
            "/etc/hosts"
        ),
        "{folder}/artifacts/link",
        "is a symbolic link",
    ),
    "a name that Windows reserves": Damage(
        lambda history: (history.folder / "artifacts" / "aux.txt").write_text(""),
        "{folder}/artifacts/aux.txt",
        "has a name that Windows reserves",
    ),
    "two files that are one on Windows": Damage(
        lambda history: (history.folder / "artifacts" / "Note.txt").write_text(""),
        "{folder}/artifacts/note.txt",
        "is one file with Note.txt on Windows or macOS",
    ),
    "an experiment that Windows cannot check out": Damage(
        lambda history: (history.repo.mlruns / "CON").mkdir(),
        "mlruns/CON",
        "has a name that Windows reserves",
    ),
    "a file beside run.json": Damage(
        lambda history: (history.folder / "notes.md").write_text(""),
        "{folder}/notes.md",
        "does not belong to the history",
    ),
    "a folder that is not a run": Damage(
        lambda history: (history.folder.parent / "copy").mkdir(),
        "mlruns/housing/2026-11-18/copy",
        "does not belong to the history",
    ),
    "part of a model": Damage(
        lambda history: (history.model / "MLmodel").unlink(),
        "{model}/MLmodel",
        "is missing",
    ),
    "a model that names this machine": Damage(
        lambda history: (history.model / "MLmodel").write_bytes(
            b"artifact_path: /home/ann/x\n" + b" " * 10
        ),
        "{model}/MLmodel",
        "was altered",
    ),
}
POSIX_ONLY = ("link", "Windows")  # Windows cannot create these files


def parameters() -> list[object]:
    cases = []
    for name, damage in DAMAGES.items():
        marks = []
        if any(word in name for word in POSIX_ONLY):
            marks.append(posix)
        cases.append(pytest.param(damage, id=name, marks=marks))
    return cases


@pytest.fixture
def history(tmp_path: Path) -> PromotedHistory:
    return PromotedHistory(tmp_path / "clone")


@pytest.mark.parametrize("damage", parameters())
def test_a_damaged_file_is_reported_with_its_path(
    history: PromotedHistory, damage: Damage
) -> None:
    damage.check(history)


@pytest.mark.parametrize(
    "address", [b"artifact_path: /home/ann/x\n", b"artifact_path: 'C:\\x y'\n"]
)
def test_a_model_file_that_names_this_machine_is_a_fault(
    history: PromotedHistory, address: bytes
) -> None:
    run = add_run(history.repo.mlruns, models={model_id(): {"MLmodel": address}})
    folder = history.folder_of(run.run_id)
    model = folder / "models" / run.models[0].model_id
    fault = Fault(
        history.relative(model / "MLmodel"),
        "names a path of the machine that it was made on",
    )
    assert verify(history.repo, [run.run_id]) == [fault]


def test_a_model_file_in_another_encoding_is_read(history: PromotedHistory) -> None:
    files = {"MLmodel": b"name: J\xf6rg\n"}
    run = add_run(history.repo.mlruns, models={model_id(): files})
    assert verify(history.repo, [run.run_id]) == []


def test_the_files_of_a_model_may_be_missing_together(
    history: PromotedHistory,
) -> None:
    shutil.rmtree(history.folder_of(history.sibling.run_id) / "models")
    assert verify(history.repo) == []


@posix
def test_a_path_too_long_for_windows_is_a_fault(history: PromotedHistory) -> None:
    path = history.folder / "artifacts" / ("n" * 150)
    path.write_text("")
    faults = verify(history.repo)
    path.unlink()  # do not leave a path that Windows could not open
    reasons = [fault.reason for fault in faults if fault.file.endswith("nnn")]
    assert any(reason.startswith("has a path of ") for reason in reasons)


def test_a_folder_with_too_many_entries_is_a_fault(
    history: PromotedHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MOST_ENTRIES", 2)
    day = history.relative(history.folder.parent)
    fault = Fault(day, "has 3 entries; at most 2 are allowed")
    assert fault in verify(history.repo)


def test_folders_of_earlier_versions_belong_to_their_experiments(
    history: PromotedHistory,
) -> None:
    mlruns = history.repo.mlruns
    run = add_run(mlruns, experiment="Old-Name")
    current = mlruns / layout.experiment_folder("Old-Name")
    current.rename(mlruns / "Old-Name")
    assert verify(history.repo, [run.run_id]) == []
