"""The tasks: every YAML file here describes one; see `pipeline.schema`."""

from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import PipelineError, UsageError, first_fault
from pipeline.schema import Task
from pipeline.yaml_file import read_yaml

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all tasks, sorted; a task has the name of its file."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Task:
    """Return a task by its name.

    Raises:
        UsageError: there is no such task.
        PipelineError: its file does not describe a task.
    """
    choices = names()
    if name not in choices:
        choice = ", ".join(choices)
        raise UsageError(f"there is no task {name!r}: choose from {choice}.")
    path = FOLDER / f"{name}.yaml"
    return _read(path)


@cache
def _read(path: Path) -> Task:
    where = f"pipeline/tasks/{path.name}"
    content = read_yaml(path, where)
    if isinstance(content, dict):
        content = {"name": path.stem} | content
    adapter = TypeAdapter(Task)
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        fault = first_fault(error)
        raise PipelineError(f"{where}: {fault}.") from error
