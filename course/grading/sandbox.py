"""Programs of a copy: in a container where one was chosen, else as bounded processes.

`course collect` chooses the container; a student's own check has processes alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from course.grading import container, process
from course.grading.process import Outcome, Running

# The part of a folder that a program may write to.
OUTPUT = "build"
# All of it: for the pipeline, which publishes from where it runs.
EVERYTHING = "."


def run(
    command: Sequence[str],
    folder: Path,
    seconds: float = process.SECONDS,
    variables: Mapping[str, str] | None = None,
    writes: str = OUTPUT,
) -> Outcome:
    """Run a program of a copy to its end; see `running`.

    Args:
        command: the program with its arguments.
        folder: where it runs.
        seconds: the time that it has.
        variables: additional variables for it.
        writes: the part of the folder that it writes to.
    """
    with running(command, folder, variables, writes) as program:
        return program.wait(seconds)


@contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    writes: str = OUTPUT,
    port: int = 0,
) -> Iterator[Running]:
    """Run a program of a copy during the block.

    A container holds this folder alone, at its own path, and may write to a part of it.
    A bounded process sees what its user sees.

    Args:
        command: the program with its arguments.
        folder: where it runs.
        variables: additional variables for it.
        writes: the part of the folder that it writes to.
        port: where it listens; this computer reaches it at the same port.

    Raises:
        Ungradable: Docker cannot start the container.
    """
    chosen = container.chosen()
    if chosen is None:
        with process.running(command, folder, variables) as program:
            yield program
        return
    place = container.Place(folder, writes, dict(variables or {}))
    with container.running(chosen, command, place, port) as program:
        yield program
