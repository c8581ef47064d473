"""What may differ when a run is made again on another kind of machine.

Another system or processor rounds the last digits of some algorithms differently. The
predictions and the metrics then have to be equal within the task's tolerance; digests
of models and artifacts, which one digit changes, cannot be.
"""

import math
import platform
from typing import NamedTuple

from history.runfile import Run
from pipeline import tasks
from pipeline.reproduce.result import Difference
from pipeline.reproduce.results import ARTIFACT, METRIC, MODEL_DIGEST

# The tag of a training with its machine.
MACHINE = "machine"
# Runs from before November 2026 did not record it. The workflow makes them on this one.
UNRECORDED = "Linux x86_64"


class Explained(NamedTuple):
    """The differences between two runs, by whether another machine explains them.

    Attributes:
        differing: those that it does not explain.
        tolerated: those that it does.
        machine: the kind of machine of the recorded run, if it is not that of this one.
        conditions: the difference between the machines, if there is one.
    """

    differing: list[Difference]
    tolerated: list[Difference]
    machine: str = ""
    conditions: tuple[Difference, ...] = ()


def explain(
    differences: list[Difference], training: Run, digests: set[str]
) -> Explained:
    """Return differences by whether another machine explains them.

    Args:
        differences: those between recorded runs and those of this machine.
        training: the recorded run of the training.
        digests: those that the runs recorded of their models, without the models whose
            predictions differ by more than the task's tolerance.
    """
    here = f"{platform.system()} {platform.machine()}"
    machine = training.tags.get(MACHINE, UNRECORDED)
    if machine == here:
        return Explained(differences, [])
    tolerance = of_task(training.experiment)
    differing: list[Difference] = []
    tolerated: list[Difference] = []
    for difference in differences:
        if _is_tolerated(difference, tolerance, digests):
            tolerated.append(difference)
        else:
            differing.append(difference)
    condition = Difference(MACHINE, machine, here)
    return Explained(differing, tolerated, machine, (condition,))


def of_task(name: str) -> float:
    """Return a task's tolerance; 0 for one that this checkout does not have."""
    if name not in tasks.names():
        return 0.0
    return tasks.load(name).tolerance


def _is_tolerated(difference: Difference, tolerance: float, digests: set[str]) -> bool:
    if difference.kind == METRIC:
        return _are_close(difference.recorded, difference.again, tolerance)
    if difference.kind == MODEL_DIGEST:
        return difference.recorded in digests
    return difference.kind == ARTIFACT


def _are_close(recorded: str, again: str, tolerance: float) -> bool:
    """Return whether the values of all steps of two metrics are close."""
    try:
        one = [float(value) for value in recorded.split(", ")]
        other = [float(value) for value in again.split(", ")]
    except ValueError:  # one of the runs does not have the metric
        return False
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if not math.isclose(a, b, rel_tol=0, abs_tol=tolerance):
            return False
    return True
