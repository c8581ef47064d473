"""Each kind of damage is named, with its file, beside all the others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from history import layout, registry
from history.faults import Fault, listed
from tests.conftest import posix
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

FILES = {"note.txt": b"noted", "plots/roc.png": b"png"}


class History:
    """A champion with its parent, a sibling, and an artifact or two."""

    def __init__(self, root: Path) -> None:
        self.repo = new_workspace(root)
        mlruns = self.repo.mlruns
        self.parent = add_run(mlruns)
        files = {
            "model.onnx": b"onnx",
            "MLmodel": b"artifact_path: mlflow-artifacts:/a/b\n",
        }
        self.run = add_run(
            mlruns, FILES, {model_id(): files}, parent=self.parent.run_id
        )
        self.sibling = add_run(
            mlruns, {}, {model_id(): files}, parent=self.parent.run_id
        )
        promote(self.repo, self.run)
        self.folder = layout.run_folders(mlruns)[self.run.run_id]
        self.model = self.folder / "models" / self.run.models[0].model_id

    def edit(self, path: Path, **changes: Any) -> None:
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**content, **changes}))

    def gap(self) -> None:
        promote(self.repo, self.run)
        promote(self.repo, self.run)
        registry.path_of(self.repo.mlruns, "housing", 2).unlink()


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "clone")


def test_a_sound_history_has_no_fault(history: History) -> None:
    assert verify(history.repo) == []
    shutil.rmtree(
        layout.run_folders(history.repo.mlruns)[history.sibling.run_id] / "models"
    )
    assert verify(history.repo) == []
    assert verify(Workspace(history.repo.root / "empty")) == []


Damage = Callable[[History], Any]
DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "truncated": (
        lambda h: (h.folder / "run.json").write_text(
            (h.folder / "run.json").read_text("utf-8")[:200]
        ),
        "{folder}/run.json",
        "is not whole JSON",
    ),
    "edited": (
        lambda h: h.edit(h.folder / "run.json", name="better"),
        "{folder}/run.json",
        "was edited",
    ),
    "an unknown key": (
        lambda h: h.edit(h.folder / "run.json", colour="red"),
        "{folder}/run.json",
        "colour: Extra inputs",
    ),
    "foreign": (
        lambda h: (h.folder / "run.json").write_text('{"some": "thing"}'),
        "{folder}/run.json",
        "is not a run of this project",
    ),
    "of another run": (
        lambda h: h.edit(h.folder / "run.json", run_id="0" * 32),
        "{folder}/run.json",
        "not the one its folder names",
    ),
    "an old format": (
        lambda h: h.edit(h.folder / "run.json", format=0),
        "{folder}/run.json",
        "has format version 0; this program reads version 1",
    ),
    "a number that is none": (
        lambda h: h.edit(h.folder / "run.json", metrics={"rmse": [["much", 1, 0]]}),
        "{folder}/run.json",
        "metrics.rmse.0.0: Input should be a valid number",
    ),
    "another experiment": (
        lambda h: h.edit(h.folder / "run.json", experiment="iris"),
        "{folder}/run.json",
        "belongs in iris/",
    ),
    "another day": (
        lambda h: h.edit(h.folder / "run.json", started=STARTED - DAY_MS),
        "{folder}/run.json",
        "belongs in housing/",
    ),
    "a path of this machine": (
        lambda h: h.edit(h.folder / "run.json", tags={"where": "file:///home/ann/x"}),
        "{folder}/run.json",
        "'file:///home/ann/x' is the path of a file on one machine",
    ),
    "a climbing path": (
        lambda h: h.edit(
            h.folder / "run.json",
            artifacts=[{"path": "../../x", "sha256": "0" * 64, "size": 1}],
        ),
        "{folder}/run.json",
        "artifacts.0.path: '../../x' is not a path within the folder",
    ),
    "no run.json": (
        lambda h: (h.folder / "run.json").unlink(),
        "{folder}/run.json",
        "cannot be read",
    ),
    "no parent": (
        lambda h: shutil.rmtree(layout.run_folders(h.repo.mlruns)[h.parent.run_id]),
        "{folder}/run.json",
        "its parent run",
    ),
    "a missing artifact": (
        lambda h: (h.folder / "artifacts" / "note.txt").unlink(),
        "{folder}/artifacts/note.txt",
        "is missing",
    ),
    "an altered artifact": (
        lambda h: (h.folder / "artifacts" / "plots" / "roc.png").write_bytes(b"gnp"),
        "{folder}/artifacts/plots/roc.png",
        "was altered",
    ),
    "an artifact too many": (
        lambda h: (h.folder / "artifacts" / "plots" / "more.png").write_bytes(b""),
        "{folder}/artifacts/plots/more.png",
        "is not in run.json",
    ),
    "a link instead of a file": (
        lambda h: (h.folder / "artifacts" / "link").symlink_to("/etc/hosts"),
        "{folder}/artifacts/link",
        "is a symbolic link",
    ),
    "a name that Windows reserves": (
        lambda h: (h.folder / "artifacts" / "aux.txt").write_text(""),
        "{folder}/artifacts/aux.txt",
        "has a name that Windows reserves",
    ),
    "two files that are one on Windows": (
        lambda h: (h.folder / "artifacts" / "Note.txt").write_text(""),
        "{folder}/artifacts/note.txt",
        "is one file with Note.txt on Windows or macOS",
    ),
    "an experiment that Windows cannot check out": (
        lambda h: (h.repo.mlruns / "CON").mkdir(),
        "mlruns/CON",
        "has a name that Windows reserves",
    ),
    "a listed name that Windows reserves": (
        lambda h: h.edit(
            h.folder / "run.json",
            artifacts=[{"path": "nul", "sha256": "0" * 64, "size": 1}],
        ),
        "{folder}/run.json",
        "artifacts.0.path: 'nul' has a name that Windows reserves for a device.",
    ),
    "a file beside run.json": (
        lambda h: (h.folder / "notes.md").write_text(""),
        "{folder}/notes.md",
        "does not belong to the history",
    ),
    "a folder that is no run": (
        lambda h: (h.folder.parent / "copy").mkdir(),
        "mlruns/housing/2026-11-18/copy",
        "does not belong to the history",
    ),
    "a run twice": (
        lambda h: add_run(
            h.repo.mlruns, run_id=h.parent.run_id, started=STARTED + DAY_MS
        ),
        "mlruns/housing/2026-11-19/{parent}",
        "the same run lies in mlruns/housing/2026-11-18/{parent} too",
    ),
    "a model of another run": (
        lambda h: add_run(
            h.repo.mlruns, model_inputs=[f"m-{'0' * 32}"], run_id="0" * 32
        ),
        f"mlruns/housing/2026-11-18/{'0' * 32}/run.json",
        "which no run lists",
    ),
    "one model in two runs": (
        lambda h: add_run(
            h.repo.mlruns,
            models={h.run.models[0].model_id: {}},
            started=STARTED + DAY_MS,
        ),
        "mlruns/housing/2026-11-19/",
        "which another run lists",
    ),
    "part of a model": (
        lambda h: (h.model / "MLmodel").unlink(),
        "{model}/MLmodel",
        "is missing",
    ),
    "a model that names this machine": (
        lambda h: (h.model / "MLmodel").write_bytes(
            b"artifact_path: /home/ann/x\n" + b" " * 10
        ),
        "{model}/MLmodel",
        "was altered",
    ),
    "a promoted model without files": (
        lambda h: shutil.rmtree(h.model),
        "mlruns/registry/housing/1.json",
        "the files of its model",
    ),
    "a promoted run that is gone": (
        lambda h: shutil.rmtree(h.folder),
        "mlruns/registry/housing/1.json",
        "its run {run} is not there",
    ),
    "an edited promotion": (
        lambda h: h.edit(registry.path_of(h.repo.mlruns, "housing", 1), reason="fine"),
        "mlruns/registry/housing/1.json",
        "was edited",
    ),
    "a promotion of something else": (
        lambda h: promote(h.repo, h.run, sha256="0" * 64),
        "mlruns/registry/housing/2.json",
        "promotes another model.onnx than its run lists",
    ),
    "a promotion out of order": (
        lambda h: promote(h.repo, h.run, replaces=None),
        "mlruns/registry/housing/2.json",
        "replaces version None",
    ),
    "a promotion that is none": (
        lambda h: registry.path_of(h.repo.mlruns, "housing", 1).write_text("{}"),
        "mlruns/registry/housing/1.json",
        "is not a promotion of this project",
    ),
    "a metric of a promotion that is none": (
        lambda h: h.edit(
            registry.path_of(h.repo.mlruns, "housing", 1), metrics={"rmse": "NaN"}
        ),
        "mlruns/registry/housing/1.json",
        "metrics.rmse: Input should be a finite number",
    ),
    "a gap in the registry": (
        lambda h: h.gap(),
        "mlruns/registry/housing",
        "version 2 is missing although 3.json is there",
    ),
    "another file in the registry": (
        lambda h: (h.repo.mlruns / "registry" / "housing" / "latest").write_text("1"),
        "mlruns/registry/housing/latest",
        "does not belong to the history",
    ),
    "another model in service": (
        lambda h: (h.repo.models / "housing" / "model.onnx").write_bytes(b"other"),
        "deployment/models/housing/model.onnx",
        "is not the champion, version 1",
    ),
    "no model in service": (
        lambda h: shutil.rmtree(h.repo.models),
        "deployment/models/housing/model.onnx",
        "is not the champion, version 1",
    ),
    "another manifest": (
        lambda h: h.edit(h.repo.models / "housing" / "manifest.json", version=7),
        "deployment/models/housing/manifest.json",
        "does not name the champion",
    ),
    "no manifest": (
        lambda h: (h.repo.models / "housing" / "manifest.json").write_text("[]"),
        "deployment/models/housing/manifest.json",
        "is not there or not a manifest",
    ),
    "a model that nobody promoted": (
        lambda h: (h.repo.models / "iris").mkdir(),
        "deployment/models/iris",
        "is in service without a promotion",
    ),
}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(n, marks=posix if "link" in n or "Windows" in n else ())
        for n in DAMAGES
    ],
)
def test_a_fault_is_named_with_its_file(history: History, damage: str) -> None:
    known = {
        "folder": relative(history, history.folder),
        "model": relative(history, history.model),
        "run": history.run.run_id,
        "parent": history.parent.run_id,
    }
    apply, file, reason = DAMAGES[damage]
    apply(history)
    faults = verify(history.repo)
    named = [
        fault
        for fault in faults
        if fault.file.startswith(file.format(**known))
        and reason.format(**known) in fault.reason
    ]
    assert named, faults
    assert str(history.repo.root) not in "".join(map(str, faults))


def relative(history: History, path: Path) -> str:
    return path.relative_to(history.repo.root).as_posix()


def test_a_model_file_that_names_this_machine_is_a_fault(history: History) -> None:
    mlruns = history.repo.mlruns
    for text in (b"artifact_path: /home/ann/x\n", b"artifact_path: 'C:\\x y'\n"):
        run = add_run(mlruns, models={model_id(): {"MLmodel": text}})
        folder = relative(history, layout.run_folders(mlruns)[run.run_id])
        file = f"{folder}/models/{run.models[0].model_id}/MLmodel"
        said = Fault(file, "names a path of the machine that it was made on")
        assert verify(history.repo, [run.run_id]) == [said]


@posix
def test_a_path_too_long_for_windows_is_a_fault(history: History) -> None:
    path = history.folder / "artifacts" / ("n" * 150)
    path.write_text("")
    reasons = [
        fault.reason for fault in verify(history.repo) if fault.file.endswith("nnn")
    ]
    path.unlink()  # no test leaves a path that Windows could not open
    assert any(reason.startswith("has a path of ") for reason in reasons)


def test_a_model_file_in_another_encoding_is_read_all_the_same(
    history: History,
) -> None:
    run = add_run(
        history.repo.mlruns, models={model_id(): {"MLmodel": b"name: J\xf6rg\n"}}
    )
    assert verify(history.repo, [run.run_id]) == []


def test_folders_of_earlier_versions_belong_to_their_experiments(
    history: History,
) -> None:
    run = add_run(history.repo.mlruns, experiment="Old-Name")
    now = history.repo.mlruns / layout.experiment_folder("Old-Name")
    now.rename(history.repo.mlruns / "Old-Name")
    assert verify(history.repo, [run.run_id]) == []


def test_too_full_a_folder_is_a_fault(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MOST_ENTRIES", 2)
    faults = verify(history.repo)
    reason = "has 3 entries; at most 2 are allowed"
    assert Fault(relative(history, history.folder.parent), reason) in faults


def test_all_faults_are_named_at_once(history: History) -> None:
    names = [
        "edited",
        "an altered artifact",
        "a model of another run",
        "an edited promotion",
    ]
    for name in names:
        DAMAGES[name][0](history)
    assert len(verify(history.repo)) >= len(names)


def test_some_runs_alone_can_be_checked(history: History) -> None:
    (history.folder / "artifacts" / "note.txt").write_text("x")
    user = add_run(history.repo.mlruns, model_inputs=[history.run.models[0].model_id])
    assert verify(history.repo, [user.run_id, history.parent.run_id]) == []
    assert len(verify(history.repo, [history.run.run_id])) == 1
    (fault,) = verify(history.repo, ["0" * 32])
    assert "is not there" in fault.reason


def test_many_faults_are_listed_with_the_number_of_those_left_out() -> None:
    faults = [Fault(f"mlruns/{name}", "is empty") for name in "abcde"]
    assert listed(faults[:2]) == "mlruns/a: is empty; mlruns/b: is empty"
    assert listed(faults).endswith("mlruns/c: is empty (and 2 more)")
