"""Has DVC keep a table in place of Git."""

from pathlib import Path

from core.errors import PipelineError, UsageError
from core.git import git
from pipeline.dvc import program
from pipeline.dvc.pointer import pointer_path, shown
from pipeline.dvc.program import DvcError


def require_one_keeper(root: Path, table: Path, by_dvc: bool) -> None:
    """Check that a table that is to be written will be kept by Git or by DVC.

    Args:
        root: the checkout.
        table: where the table belongs.
        by_dvc: whether DVC is to keep it.

    Raises:
        UsageError: both would.
        PipelineError: DVC is to keep it, and is not installed.
    """
    name = shown(table)
    pointer = pointer_path(table)
    if not by_dvc:
        if pointer.is_file():
            raise UsageError(
                f"DVC keeps {name}: run the command with --dvc, or remove"
                f" {shown(pointer)} and the line in data/.gitignore first."
            )
        return
    _require_program(name)
    if git(root, "ls-files", "--", name):
        raise UsageError(
            f"Git keeps {name}: run `git rm --cached {name}`, then this command again."
        )


def track(root: Path, table: Path) -> None:
    """Put a table into DVC's cache, and write its `.dvc` file.

    Raises:
        PipelineError: DVC is not installed or fails.
    """
    name = shown(table)
    installed = _require_program(name)
    try:
        program.run(installed, root, "add", name)
    except DvcError as error:
        raise PipelineError(
            f"{name} is written, but DVC does not keep it yet ({error.reason}): run"
            f" `dvc add {name}`."
        ) from error


def _require_program(name: str) -> str:
    installed = program.path()
    if installed is None:
        raise PipelineError(program.absent(f"DVC is to keep {name}"))
    return installed
