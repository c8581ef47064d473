"""Checks of lesson 3: the algorithm that the student was given, tried and made again."""

from typing import Any

from core.errors import PipelineError
from course import yaml_text
from course.check import Check
from course.classroom import ROOT
from course.copy import Copy
from course.grading import history, reproduce
from course.grading.history import Publication
from course.grading.result import Red, Verdict, failed, passed
from course.personal import ALGORITHMS

TASK = "iris"
KIND = "classification"
LIST = "pipeline/train/estimators.yaml"
PARAMS = "params.yaml"
FINISHED = "FINISHED"
# The keys and values of a file.
Content = dict[str, Any]
Run = Content
# The metrics of two trainings on one computer differ in nothing but their noise.
TOLERANCE = 1e-6


def names(copy: Copy, commit: str) -> list[str]:
    """Return the names that the list has for the student's class in a commit."""
    wanted = ALGORITHMS[copy.personal.algorithm]
    listed = _listed(copy.yaml(LIST, commit))
    return [name for name, path in listed.items() if path == wanted]


def _listed(content: Content) -> Content:
    listed = content.get(KIND)
    if not isinstance(listed, dict):
        raise PipelineError(f"{LIST} has no names below {KIND}.")
    return listed


def candidates(copy: Copy, commit: str) -> Content:
    """Return the candidates of the task in a commit."""
    content: Any = copy.yaml(PARAMS, commit)
    for key in ("tasks", TASK, "candidates"):
        if not isinstance(content, dict):
            return {}
        content = content.get(key)
    return content if isinstance(content, dict) else {}


def published(copy: Copy) -> tuple[Publication, Run]:
    """Return the first publication with a run of the class, and that run.

    Raises:
        Red: there is none.
    """
    for publication in history.publications(copy):
        if history.training(copy, publication, TASK) is None:
            continue
        wanted = names(copy, publication.source)
        for run in history.runs(copy, publication, TASK):
            is_candidate = run.get("parent") is not None
            if is_candidate and run["params"].get("algorithm") in wanted:
                return publication, run
    raise Red(
        f"no training of {TASK} in the history has a run of your class",
        "a training of a commit that has both lines",
    )


class ClassIsListed(Check):
    """Add a line below `classification:` in `pipeline/train/estimators.yaml`."""

    name = "the list of estimators has your class"

    def run(self, copy: Copy) -> Verdict:
        """Compare the list with the template's and with the class."""
        wanted = ALGORITHMS[copy.personal.algorithm]
        shipped = _shipped()
        listed = _listed(copy.yaml(LIST, "HEAD"))
        for name, path in shipped.items():
            if listed.get(name) != path:
                return failed(f"{name} is no longer what the template has")
        if names(copy, "HEAD"):
            return passed(wanted)
        added = [str(listed[name]) for name in listed if name not in shipped]
        if not added:
            return failed("it adds no class", wanted)
        return failed(f"it adds {', '.join(added)}", wanted)


def _shipped() -> Content:
    """Return the names and classes of the template."""
    text = (ROOT / LIST).read_text("utf-8")
    return _listed(yaml_text.mapping(text, LIST))


class CandidateIsTried(Check):
    """Add a line with your name for it below the candidates of iris in `params.yaml`."""

    name = "it is a candidate of iris"
    requires = (ClassIsListed,)

    def run(self, copy: Copy) -> Verdict:
        """Look for the name among the candidates."""
        tried = candidates(copy, "HEAD")
        for name in names(copy, "HEAD"):
            if name in tried:
                return passed(name)
        return failed(f"the candidates are {', '.join(map(str, tried))}")


class RunIsPublished(Check):
    """Commit, push, train iris and publish: its run must come into the history."""

    name = "its run is in the history, and its ONNX file answers as it does"
    requires = (CandidateIsTried,)

    def run(self, copy: Copy) -> Verdict:
        """Look for the run and at the comparison with its ONNX file."""
        publication, run = published(copy)
        if run["status"] != FINISHED:
            return failed(
                f"its run in {publication.commit[:7]} ended as {run['status']}",
                "a run that finished",
                "Read the run's tags in its run.json: they name the error.",
            )
        mismatches = _metric(run, "parity_mismatches")
        if mismatches:
            return failed(
                f"{mismatches:.0f} answers of the ONNX file differ",
                "no answer differs",
                "Other parameters may help: see the hints.",
            )
        return passed(f"run {run['run_id'][:8]}, published by {publication.commit[:7]}")


class RunIsMadeAgain(Check):
    """Publish a training of what is committed, with the code of the template."""

    name = "training and run come out the same once more"
    requires = (RunIsPublished,)

    def run(self, copy: Copy) -> Verdict:
        """Train once more, and compare challenger and metrics."""
        history.require_append_only(copy)
        publication, run = published(copy)
        again = reproduce.require_same(copy, publication, TASK)
        algorithm = run["params"]["algorithm"]
        for other in again.runs:
            if other["params"].get("algorithm") == algorithm:
                return _same_metrics(run, other)
        return failed(f"the training made again has no run of {algorithm}")


def _same_metrics(run: Run, again: Run) -> Verdict:
    for name in sorted(again["metrics"]):
        if not name.startswith("holdout_"):
            continue
        was = _metric(run, name)
        now = _metric(again, name)
        if abs(was - now) > TOLERANCE:
            return failed(
                f"{name} is {was:.6g} in the history; made again it is {now:.6g}"
            )
    return passed("challenger and metrics are the same")


def _metric(run: Run, name: str) -> float:
    """Return the last value of a metric, of which a run has value and step."""
    value, *_ = run["metrics"][name][-1]
    return float(value)


CHECKS = (ClassIsListed, CandidateIsTried, RunIsPublished, RunIsMadeAgain)
