"""A history with a champion, and the damage that a verification must name."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from history import Fault, layout, registry
from tests.support.history_factories import (
    add_run,
    model_id,
    new_workspace,
    promote,
    verify,
)

ARTIFACTS = {"note.txt": b"noted", "plots/roc.png": b"png"}
MODEL_FILES = {
    "model.onnx": b"onnx",
    "MLmodel": b"artifact_path: mlflow-artifacts:/a/b\n",
}


class PromotedHistory:
    """A history of three runs: a parent and its two children, one of them promoted.

    Attributes:
        run: the promoted run, which has artifacts, too.
        folder: its folder.
        model: the folder of its model.
    """

    def __init__(self, root: Path) -> None:
        self.repo = new_workspace(root)
        mlruns = self.repo.mlruns
        self.parent = add_run(mlruns)
        self.run = add_run(
            mlruns,
            ARTIFACTS,
            {model_id(): MODEL_FILES},
            parent=self.parent.run_id,
        )
        self.sibling = add_run(
            mlruns,
            models={model_id(): MODEL_FILES},
            parent=self.parent.run_id,
        )
        promote(self.repo, self.run)
        self.folder = self.folder_of(self.run.run_id)
        logged = self.run.models[0]
        self.model = self.folder / layout.MODELS / logged.model_id

    @property
    def run_file(self) -> Path:
        """The `run.json` of the promoted run."""
        return self.folder / layout.RUN_FILE

    @property
    def promotion_file(self) -> Path:
        """The file of the first promotion."""
        return registry.path_of(self.repo.mlruns, "housing", 1)

    def folder_of(self, run_id: str) -> Path:
        """Return the folder of a run."""
        return layout.run_folders(self.repo.mlruns)[run_id]

    def edit(self, path: Path, **changes: Any) -> None:
        """Change some keys of a JSON file."""
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(content | changes))

    def delete_version_2_of_3(self) -> None:
        """Leave a gap in the registry."""
        promote(self.repo, self.run)
        promote(self.repo, self.run)
        registry.path_of(self.repo.mlruns, "housing", 2).unlink()

    def relative(self, path: Path) -> str:
        """Return a path as a fault has it."""
        return path.relative_to(self.repo.root).as_posix()


@dataclass(frozen=True)
class Damage:
    """One way to damage a history, and the fault that a verification must report.

    `{folder}`, `{model}`, `{run}` and `{parent}` in the texts stand for those of the
    history.

    Attributes:
        apply: damages a history.
        file: how the path of the fault begins.
        reason: a part of the reason of the fault.
    """

    apply: Callable[[PromotedHistory], Any]
    file: str
    reason: str

    def check(self, history: PromotedHistory) -> None:
        """Damage a history, and require that the fault is reported."""
        values = {
            "folder": history.relative(history.folder),
            "model": history.relative(history.model),
            "run": history.run.run_id,
            "parent": history.parent.run_id,
        }
        file = self.file.format(**values)
        reason = self.reason.format(**values)
        self.apply(history)
        faults = verify(history.repo)
        assert any(_matches(fault, file, reason) for fault in faults), faults
        for fault in faults:
            assert str(history.repo.root) not in str(fault)


def _matches(
    fault: Fault,
    file: str,
    reason: str,
) -> bool:
    return fault.file.startswith(file) and reason in fault.reason
