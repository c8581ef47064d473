"""The solution of lesson 9."""

from core.errors import PipelineError
from course.work import Work

REASON = "version {version} is too high for trees in the shade"


def solve(work: Work) -> None:
    """Put the first version of a task back into service."""
    task, version = choose(work)
    put_back(work, task, REASON.format(version=version))


def choose(work: Work) -> tuple[str, int]:
    """Return a task with two versions, and the version in service.

    Raises:
        PipelineError: there is none.
    """
    registry = work.root / "mlruns" / "registry"
    tasks = sorted(folder.name for folder in registry.iterdir())
    for task in reversed(tasks):
        entries = work.copy.registry(task)
        if entries and entries[0]["sha256"] != entries[-1]["sha256"]:
            return task, len(entries)
    raise PipelineError("no task has two versions: do lesson 8 first.")


def put_back(work: Work, task: str, reason: str) -> str:
    """Put the first version of a task back, and take that in.

    Returns what `promote` prints.
    """
    command = f"python -m pipeline promote {task} --version 1 --branch {work.branch}"
    if reason:
        command += f' --reason "{reason}"'
    output = work.run(command)
    work.pull()
    return output
