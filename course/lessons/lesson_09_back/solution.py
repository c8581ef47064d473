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
    for folder in sorted((work.root / "mlruns" / "registry").glob("*"), reverse=True):
        entries = work.copy.registry(folder.name)
        if len(entries) > 1 and entries[-1]["sha256"] != entries[0]["sha256"]:
            return folder.name, len(entries)
    raise PipelineError("no task has two versions: do lesson 8 first.")


def put_back(work: Work, task: str, reason: str) -> None:
    """Put the first version of a task back, and take that in."""
    options = ["--version", "1", "--branch", work.branch]
    if reason:
        options += ["--reason", f'"{reason}"']
    work.run(f"python -m pipeline promote {task} {' '.join(options)}")
    work.pull()
