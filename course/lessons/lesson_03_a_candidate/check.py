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
# The metrics of two trainings on one computer differ in nothing but their noise.
TOLERANCE = 1e-6


def names(copy: Copy, commit: str) -> list[str]:
    """Return the names that the list has for the student's class in a commit."""
    wanted = ALGORITHMS[copy.personal.algorithm]
    listed = _listed(copy.yaml(LIST, commit))
    return [name for name, path in listed.items() if path == wanted]


def _listed(content: dict[str, Any]) -> dict[str, Any]:
    listed = content.get(KIND)
    if not isinstance(listed, dict):
        raise PipelineError(f"{LIST} has no names below {KIND}.")
    return listed


def candidates(copy: Copy, commit: str) -> dict[str, Any]:
    """Return the candidates of the task in a commit."""
    content: Any = copy.yaml(PARAMS, commit)
    for key in ("tasks", TASK, "candidates"):
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def published(copy: Copy) -> tuple[Publication, dict[str, Any]]:
    """Return the first publication with a run of the class, and that run.

    Raises:
        Red: there is none.
    """
    for publication in history.publications(copy):
        if history.training(copy, publication, TASK) is None:
            continue
        wanted = names(copy, publication.source)
        for run in history.runs(copy, publication, TASK):
            if run.get("parent") and run["params"].get("algorithm") in wanted:
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
        shipped = _listed(yaml_text.mapping((ROOT / LIST).read_text("utf-8"), LIST))
        listed = _listed(copy.yaml(LIST, "HEAD"))
        others = [name for name, path in shipped.items() if listed.get(name) != path]
        if others:
            return failed(f"{others[0]} is no longer what the template has")
        if not names(copy, "HEAD"):
            added = [str(listed[name]) for name in listed if name not in shipped]
            seen = f"it adds {', '.join(added)}" if added else "it adds no class"
            return failed(seen, wanted)
        return passed(wanted)


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


def _same_metrics(run: dict[str, Any], again: dict[str, Any]) -> Verdict:
    for name in sorted(again["metrics"]):
        if not name.startswith("holdout_"):
            continue
        was, now = _metric(run, name), _metric(again, name)
        if abs(was - now) > TOLERANCE:
            return failed(
                f"{name} is {was:.6g} in the history; made again it is {now:.6g}"
            )
    return passed("challenger and metrics are the same")


def _metric(run: dict[str, Any], name: str) -> float:
    return float(run["metrics"][name][-1][0])


CHECKS = (ClassIsListed, CandidateIsTried, RunIsPublished, RunIsMadeAgain)
