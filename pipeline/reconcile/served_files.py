"""The files of the models in the folder that a running API serves."""

from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from core.errors import PipelineError, UsageError, first_fault
from core.file_names import CARD, MANIFEST, MODEL
from core.files import write_atomic
from core.manifest import Manifest

# The API waits until files look the same twice, and refuses a model whose manifest is
# that of another: between these two writes pass milliseconds.
ORDER = (MODEL, MANIFEST, CARD)

Files = dict[str, bytes]
"""Contents by path below the folder, such as `iris/model.onnx`."""


class ServedFolder:
    """The folder, of which only the models' own files are read, written and deleted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require(self) -> None:
        """Check that the folder is there.

        Raises:
            UsageError: it is not.
        """
        if not self.path.is_dir():
            raise UsageError(
                f"{self.path} is no folder: name the one that the API serves with"
                " --models."
            )

    def read(self) -> Files:
        """Return the files of all models."""
        files: Files = {}
        for folder in sorted(self.path.iterdir()):
            for name in ORDER:
                path = folder / name
                if path.is_file():
                    files[f"{folder.name}/{name}"] = path.read_bytes()
        return files

    def differences(self, wanted: Files) -> list[str]:
        """Return the paths that are missing, changed or not wanted."""
        present = self.read()
        paths = present.keys() | wanted.keys()
        different = [path for path in paths if present.get(path) != wanted.get(path)]
        return sorted(different)

    def write(self, wanted: Files) -> None:
        """Make the files those that are wanted; equal ones are not touched."""
        for place in sorted(self.differences(wanted), key=_order):
            path = self.path / place
            if place in wanted:
                write_atomic(path, wanted[place])
                continue
            path.unlink(missing_ok=True)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()


def manifests(files: Files) -> list[Manifest]:
    """Return the manifests among the files.

    Raises:
        PipelineError: one is damaged.
    """
    parsed = []
    for place in sorted(files):
        if not place.endswith(f"/{MANIFEST}"):
            continue
        try:
            manifest = Manifest.model_validate_json(files[place])
        except ValidationError as error:
            raise PipelineError(f"{place}: {first_fault(error)}.") from error
        parsed.append(manifest)
    return parsed


def changed_tasks(before: Files, after: Files) -> set[str]:
    """Return the tasks in `after` whose files are not those in `before`."""
    tasks = set()
    for place, content in after.items():
        if before.get(place) != content:
            task, _, _ = place.partition("/")
            tasks.add(task)
    return tasks


def _order(place: str) -> tuple[str, int]:
    path = PurePosixPath(place)
    return str(path.parent), ORDER.index(path.name)
