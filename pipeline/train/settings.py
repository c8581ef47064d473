"""`params.yaml`, with its candidates checked against the available algorithms."""

from collections.abc import Mapping
from typing import Any

from core.errors import PipelineError, UsageError
from pipeline import params
from pipeline.params import Params, Section
from pipeline.repo import Repo
from pipeline.schema import Task
from pipeline.train import combined, estimators


def load(repo: Repo) -> Params:
    """Read and check `params.yaml`, down to the names of the estimators' parameters.

    Raises:
        UsageError: an algorithm or a parameter is unknown; or see `params.read`.
    """
    loaded, sections = params.read(repo)
    for section in sections:
        _check_candidates(section)
    return loaded


def _check_candidates(section: Section) -> None:
    path = f"{section.path}candidates."
    task = section.task
    candidates = section.params.candidates
    params.require_known("algorithm", path, candidates, estimators.names(task))
    limits = section.params.row_limits
    params.require_known("candidate", f"{section.path}row_limits.", limits, candidates)
    for algorithm, parameters in candidates.items():
        _check_candidate(task, path, algorithm, parameters)
    search = section.params.search
    if search:
        path = f"{section.path}search.space."
        params.require_known("algorithm", path, search.space, estimators.names(task))
        for algorithm, space in search.space.items():
            if algorithm in combined.PARAMETERS:
                raise UsageError(
                    f"{path}{algorithm}: is a combination; search the algorithms that"
                    " it combines, each by itself."
                )
            _check_candidate(task, path, algorithm, space)


def _check_candidate(
    task: Task, path: str, algorithm: str, parameters: Mapping[str, Any]
) -> None:
    """Check the names of a candidate's parameters, and those of what it combines."""
    prefix = f"{path}{algorithm}."
    try:
        accepted = estimators.parameter_names(task.kind, algorithm)
    except PipelineError:
        return  # its library cannot be loaded: this candidate will fail, no other
    params.require_known("key", prefix, parameters, accepted)
    if algorithm not in combined.PARAMETERS:
        return
    try:
        parts = combined.parts(algorithm, dict(parameters))
    except PipelineError as error:
        raise UsageError(f"{path}{error}") from error
    inner = f"{prefix}{combined.PARAMETERS[algorithm][0]}."
    params.require_known("algorithm", inner, parts, estimators.names(task))
    for name, own in parts.items():
        _check_candidate(task, inner, name, own)
