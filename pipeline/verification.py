"""The history of a checkout, with the models in service that belong to it."""

from collections.abc import Callable, Collection
from functools import partial

from core.file_names import OWNED
from history import Fault, History, Project
from pipeline.release import faults as release_faults
from pipeline.repo import Repo


def project(repo: Repo) -> Project:
    """Describe to the history library which other folders belong to the history."""
    own = (repo.mlruns, repo.models)
    names = [path.relative_to(repo.root).as_posix() for path in own]
    return Project(
        models=repo.models,
        companions=tuple(folder for folder in OWNED if folder not in names),
        source_root=repo.root,
        promote_advice="`pipeline promote` goes back to an older model",
        merge_advice="take later versions of the template with `pipeline update`",
        find_faults=partial(_find_faults, repo),
    )


def _find_faults(repo: Repo, notice: Callable[[str], None]) -> list[Fault]:
    """Return the faults of the release and of the files of DVC."""
    # Every command imports this module, and this one alone needs manifests.
    from pipeline.dvc import lock_faults, table_faults

    faults = release_faults.find_faults(repo.root, notice)
    return faults + table_faults.find_faults(repo.root) + lock_faults.find_faults(repo)


def open_history(repo: Repo) -> History:
    """Open the history of a checkout."""
    return History.open(repo.mlruns, project(repo))


def verify(
    repo: Repo,
    run_ids: Collection[str] | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[Fault]:
    """Return the faults of the history, the models in service and the release.

    Args:
        run_ids: check the content of these runs only, and do not ask Git.
        notice: called with a sentence about what cannot be checked here.
    """
    with open_history(repo) as history:
        return history.verify(run_ids, notice)
