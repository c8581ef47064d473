"""Whether two trainings of one commit are the same, on two kinds of machines too.

Another system or processor rounds the last digits of some algorithms differently, and one
digit changes the digest of a file. What a model answers must agree all the same.
"""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

from core.files import sha256_bytes
from course.copy import Copy
from course.grading import predict
from course.grading.history import Publication
from course.grading.result import Red

MACHINE = "machine"
# A student writes the task, but not how much may differ.
MOST_TOLERANCE = 0.01
# The bundle has six significant digits of a metric: what is lost then, as a share.
ROUNDING = 1e-5


def tolerance(
    copy: Copy, publication: Publication, task: str, training: Mapping[str, Any]
) -> float:
    """Return how far predictions and metrics may be apart: 0 on the same kind of machine.

    Args:
        copy: the copy.
        publication: what was published.
        task: the task.
        training: the run of its training.
    """
    here = f"{platform.system()} {platform.machine()}"
    if training["tags"].get(MACHINE) == here:
        return 0.0
    content = copy.yaml(f"pipeline/tasks/{task}.yaml", publication.source)
    tolerance_of_task = float(content["tolerance"])
    return min(tolerance_of_task, MOST_TOLERANCE)


def require_metrics(
    candidates: Sequence[Mapping[str, Any]],
    algorithm: str,
    holdout: Mapping[str, float],
    allowed: float,
) -> None:
    """Check that the figures of a challenger in the history are those that it has.

    Args:
        candidates: the runs that were published.
        algorithm: the challenger's.
        holdout: the metrics on the held-out rows, measured again.
        allowed: the tolerance.

    Raises:
        Red: one is another.
    """
    recorded = [run for run in candidates if run.get("name") == algorithm]
    if len(recorded) != 1:
        raise Red(f"the history has {len(recorded)} runs of {algorithm}, and not one")
    metrics: Mapping[str, Any] = recorded[0]["metrics"]
    for name, value in holdout.items():
        values = metrics.get(f"holdout_{name}")
        if values is None:  # a later version of the template measures more
            continue
        last = values[-1]
        was = float(last[0])
        rounding = ROUNDING * abs(value)
        if abs(was - value) > allowed + rounding:
            raise Red(
                f"{name} of {algorithm} is {was:g} in the history, and {value:g} when it"
                " is measured again",
                "the same commit leads to the same figures",
            )


def require_predictions(
    kept: bytes,
    digest: str,
    again: bytes,
    rows: Sequence[Mapping[str, str]],
    allowed: float,
) -> None:
    """Check that two models answer the same to all rows.

    Args:
        kept: the file in service.
        digest: the SHA-256 that it must have.
        again: the file of the new training.
        rows: the rows, as text by column; of other columns than inputs, too.
        allowed: the tolerance.

    Raises:
        Red: they do not, or the file is another.
    """
    if sha256_bytes(kept) != digest:
        raise Red(f"the model in service is not {digest[:12]}, which was promoted")
    one_answers = predict.predict(kept, rows)
    other_answers = predict.predict(again, rows)
    answers = zip(one_answers, other_answers, strict=True)
    for number, (one, other) in enumerate(answers):
        pairs = zip(one, other, strict=True)
        differences = [abs(first - second) for first, second in pairs]
        difference = max(differences)
        if difference > allowed:
            raise Red(
                f"the model in service and the one made again differ by {difference:.3g}"
                f" on held-out row {number}",
                f"at most {allowed:g}, as they come from different kinds of machines",
            )
