"""Compares the runs of a training with those of the history, value by value."""

from collections import Counter
from collections.abc import Mapping

from core.counts import counted
from core.file_names import MODEL
from history.runfile import Run
from pipeline.recorded_run import ALGORITHM, model_digest
from pipeline.reproduce.result import Difference

# Metrics that measure the machine, and not the model.
DURATIONS = ("fit_seconds", "latency_ms")
# Tags of a training with the digest of what it read: by them a record contradicts its
# commit.
INPUTS = {
    "digest.data": "data",
    "digest.code": "code",
    "digest.params": "params.yaml",
    "digest.requirements": "lock file",
}
# Tags with what else may change the bytes of a model.
VERSIONS = "version."
MODEL_DIGEST = "model digest"
ARTIFACT = "artifact"
METRIC = "metric"
NOTHING = "nothing"


class Results:
    """The outcome of a comparison.

    Attributes:
        differences: the values that are not equal.
    """

    def __init__(self) -> None:
        self.differences: list[Difference] = []
        self._equal: list[str] = []  # what each equal value is, such as `metric`

    @property
    def has_another_model(self) -> bool:
        """Whether the bytes of a model differ."""
        return any(each.kind == MODEL_DIGEST for each in self.differences)

    def compare(
        self,
        what: str,
        recorded: Mapping[str, str],
        again: Mapping[str, str],
        of: str = "",
    ) -> None:
        """Compare values by their names.

        Args:
            what: what one of them is, such as `metric`.
            recorded: those of the history.
            again: those of the new run.
            of: what a difference is said to be of, if there are several runs.
        """
        names = recorded.keys() | again.keys()
        for name in sorted(names):
            one = recorded.get(name, NOTHING)
            other = again.get(name, NOTHING)
            if one == other:
                self._equal.append(what)
                continue
            title = f"{of}{what} {name}"
            difference = Difference(title, one, other, what)
            self.differences.append(difference)

    def counts(self) -> list[str]:
        """Return how many values are equal, such as `18 metrics`."""
        counts = []
        for what, count in Counter(self._equal).items():
            counts.append(counted(count, what))
        return counts


def compare_run(results: Results, recorded: Run, again: Run, of: str = "") -> None:
    """Compare a run's model, artifacts, metrics and params with those of a new one."""
    results.compare(MODEL_DIGEST, _model(recorded), _model(again), of)
    results.compare(ARTIFACT, _artifacts(recorded), _artifacts(again), of)
    results.compare(METRIC, _metrics(recorded), _metrics(again), of)
    results.compare("param", recorded.params, again.params, of)


def compare_training(results: Results, recorded: Run, again: Run) -> None:
    """Compare what two trainings read, by the digests that they recorded."""
    one = {}
    other = {}
    for tag, name in INPUTS.items():
        # An older commit does not record every digest.
        if tag in recorded.tags and tag in again.tags:
            one[name] = recorded.tags[tag]
            other[name] = again.tags[tag]
    results.compare("input", one, other)


def conditions(recorded: Run, again: Run) -> list[Difference]:
    """Return which versions were others than those of the run."""
    differences = []
    for name, one in sorted(recorded.tags.items()):
        if not name.startswith(VERSIONS):
            continue
        other = again.tags.get(name, one)
        if one != other:
            what = name.removeprefix(VERSIONS)
            difference = Difference(what, one, other)
            differences.append(difference)
    return differences


def by_algorithm(runs: list[Run]) -> dict[str, Run]:
    """Return the runs of candidates by their algorithms."""
    candidates = {}
    for run in runs:
        algorithm = run.params.get(ALGORITHM)
        if algorithm:
            candidates[algorithm] = run
    return candidates


def _model(run: Run) -> dict[str, str]:
    digest = model_digest(run)
    if not digest:
        return {}
    return {MODEL: digest}


def _artifacts(run: Run) -> dict[str, str]:
    digests = {}
    for artifact in run.artifacts:
        digests[artifact.path] = artifact.sha256
    return digests


def _metrics(run: Run) -> dict[str, str]:
    """Return the values of all steps of each metric, with all digits."""
    metrics = {}
    for name, points in run.metrics.items():
        if name in DURATIONS:
            continue
        values = [repr(value) for value, _, _ in points]
        metrics[name] = ", ".join(values)
    return metrics
