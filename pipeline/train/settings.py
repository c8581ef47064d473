"""`params.yaml`, with its candidates checked against the available algorithms."""

from pipeline import params
from pipeline.params import Params, Section
from pipeline.repo import Repo
from pipeline.train import estimators


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
        accepted = estimators.parameter_names(task.kind, algorithm)
        prefix = f"{path}{algorithm}."
        params.require_known("key", prefix, parameters, accepted)
