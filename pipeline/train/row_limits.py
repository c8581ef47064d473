"""Leaves out algorithms that would take too long for the number of rows."""

from core.errors import PipelineError
from pipeline.params import Parameters, TaskParams
from pipeline.workflow import notice


def within_limits(name: str, section: TaskParams, rows: int) -> dict[str, Parameters]:
    """Return the candidates that may be trained on so many rows, with a notice of others.

    Args:
        name: the task's name.
        section: its section in `params.yaml`.
        rows: the number of rows to train on.

    Raises:
        PipelineError: there is none.
    """
    candidates = {}
    for algorithm, parameters in section.candidates.items():
        limit = section.row_limits.get(algorithm)
        if limit is None or rows <= limit:
            candidates[algorithm] = parameters
            continue
        notice(
            f"{name}: {algorithm} is left out",
            f"there are {rows:,} rows to train on, and its row limit in params.yaml is"
            f" {limit:,}.",
        )
    if not candidates:
        raise PipelineError(
            f"{name}: every candidate has a row limit below the {rows:,} rows to train"
            " on: raise one in params.yaml, or add a candidate."
        )
    return candidates
