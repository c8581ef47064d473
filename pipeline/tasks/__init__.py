"""The tasks: every YAML file here describes one, in the words of `pipeline.schema`."""

from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import PipelineError, UsageError, first_fault
from pipeline.schema import Task

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all tasks, which are those of the files, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(name: str) -> Task:
    """Return a task by its name.

    Raises:
        UsageError: there is no such task.
        PipelineError: its file does not describe it.
    """
    if name not in names():
        raise UsageError(f"there is no task {name!r}: choose from {', '.join(names())}.")
    path = FOLDER / f"{name}.yaml"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        described = {"name": name, **content} if isinstance(content, dict) else content
        return TypeAdapter(Task).validate_python(described)
    except yaml.YAMLError as error:
        fault = f"is no YAML: {' '.join(str(error).split())}"
        raise PipelineError(f"pipeline/tasks/{path.name}: {fault}.") from error
    except ValidationError as error:
        raise PipelineError(f"pipeline/tasks/{path.name}: {first_fault(error)}.") from error
