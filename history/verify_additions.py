"""Checks what was added to a history that lies in Git, and not in the folder."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from history import verify
from history.faults import Fault, FaultList
from history.location import Location
from history.runfile import Run
from history.sparse import LeftOut
from history.verify_registry import RegistryCheck


@dataclass(frozen=True)
class Committed:
    """What a check must know of the runs in Git.

    Attributes:
        folders: the folder of each run by run ID.
        runs: the promoted runs by run ID.
        models: the IDs of the models that each run lists, by run ID.
        has_file: whether a path is one of a committed file, or of one in the folder.
    """

    folders: Mapping[str, Path]
    runs: Mapping[str, Run]
    models: Mapping[str, Collection[str]]
    has_file: Callable[[Path], bool]


def verify_additions(
    location: Location, run_ids: Collection[str], committed: Committed
) -> list[Fault]:
    """Return the faults of some runs, of promotions and of the models in service.

    Args:
        run_ids: the runs whose files are in the folder, to be checked in full.
    """
    faults = FaultList(location)
    runs = verify.RunCheck(location, faults, LeftOut(location, frozenset()))
    in_folder = set(run_ids)
    for run_id, models in committed.models.items():
        if run_id not in in_folder:
            runs.know(run_id, models, committed.folders[run_id])
    runs.read_all()
    for run_id in run_ids:
        runs.check(run_id)
    all_runs = {**committed.runs, **runs.runs}
    registered = RegistryCheck(
        location, faults, all_runs, runs.folders, committed.has_file
    )
    for model in verify.models(location):
        registered.check(model)
    return sorted(set(faults.entries))
