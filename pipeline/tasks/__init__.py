"""The tasks: every module here that is not private defines one, as `TASK`."""

import importlib
import pkgutil

from pipeline.errors import PipelineError, UsageError
from pipeline.schema import Task


def names() -> list[str]:
    """Return the names of all tasks, sorted; nothing is imported for it."""
    return sorted(
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    )


def load(name: str) -> Task:
    """Return a task by its name, which is its file's name.

    Raises:
        UsageError: there is no such task.
        PipelineError: its file does not define it.
    """
    if name not in names():
        raise UsageError(f"there is no task {name!r}: choose from {', '.join(names())}.")
    where = f"pipeline/tasks/{name}.py"
    try:
        task = importlib.import_module(f"{__name__}.{name}").TASK
    except AttributeError as error:
        raise PipelineError(f"{where}: defines no TASK; see the other tasks.") from error
    except ValueError as error:
        raise PipelineError(f"{where}: {error}.") from error
    if not isinstance(task, Task) or task.name != name:
        raise PipelineError(f"{where}: TASK must be a Task whose name is {name!r}.")
    return task
