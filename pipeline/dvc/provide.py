"""Brings the table of a task here that DVC keeps."""

from pathlib import Path

from rich.console import Console

from core.errors import PipelineError, Unavailable
from pipeline.dvc import pointer as pointers
from pipeline.dvc import program
from pipeline.dvc.pointer import SHOWN_DIGITS, Pointer, md5_file, pointer_path, shown
from pipeline.dvc.program import DvcError

# What DVC says if the remote is there but lacks the file, or is a folder that is away.
NOT_THERE = "Checkout failed"


def provide(root: Path, task: str, table: Path) -> None:
    """Have the table at its place with the content that its `.dvc` file names.

    Without such a file nothing is done.

    Args:
        root: the checkout.
        task: the name of the task.
        table: where the table belongs.

    Raises:
        UsageError: the `.dvc` file is damaged.
        Unavailable: the remote does not give the table.
        PipelineError: there is another table, or DVC is not installed.
    """
    pointer = pointers.read(table)
    if pointer is None:
        return
    if not table.is_file():
        _pull(root, task, table, pointer)
    actual = md5_file(table)
    if actual != pointer.md5:
        raise PipelineError(
            f"{shown(table)} has the MD5 {actual[:SHOWN_DIGITS]}…, but"
            f" {shown(pointer_path(table))} names {pointer.md5[:SHOWN_DIGITS]}…: keep"
            f" the first with `dvc add {shown(table)}`, or get the second with"
            f" `dvc checkout --force {shown(table)}`."
        )


def _pull(root: Path, task: str, table: Path, pointer: Pointer) -> None:
    installed = program.path()
    if installed is None:
        raise PipelineError(program.absent(f"{task}: DVC keeps {shown(table)}"))
    size = f"{pointer.size / 1e6:,.1f} MB"
    try:
        with Console(stderr=True).status(f"Pulling {shown(table)}, {size}, with DVC"):
            program.run(installed, root, "pull", shown(pointer_path(table)))
    except DvcError as error:
        reason = error.reason
        if NOT_THERE in reason:
            reason = "the remote is away or does not have it"
        raise Unavailable(
            f"{task}: DVC cannot pull {shown(table)} ({reason}): see `dvc remote list`,"
            " and run `dvc push` in a clone that has it.",
            f"its DVC remote ({reason})",
        ) from error
