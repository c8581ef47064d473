"""Checks of lesson 11: the metric of the running API, its pages, its panel."""

from typing import Any

from course.check import Check
from course.copy import Copy
from course.grading import probe, template_tests
from course.grading.probe import Api
from course.grading.result import Red, Verdict, failed, passed
from course.lessons.lesson_11_your_metric.wanted import Question, Wanted, questions

BOARDS = "monitoring/grafana/dashboard-configs"
# The student's code, pages and dashboards, and what else the pages are written from: a
# copy has other names and tasks than the template.
PARTS = (
    "app",
    "docs",
    "monitoring",
    "pipeline/tasks",
    ".env.example",
    "docker-compose.yml",
    "params.yaml",
)
OTHER_PATHS = ("/health", "/models", "/metrics")
Panel = dict[str, Any]
TESTS = (
    "tests/unit/monitoring/test_dashboards.py",
    "tests/unit/tools/test_reference.py",
)


class ModelIsInService(Check):
    """Publish a model first: a copy without one answers no request."""

    name = "a model answers"

    def run(self, copy: Copy) -> Verdict:
        """Look for the models of the last commit."""
        listed = questions(copy)
        if not listed:
            return failed("deployment/models has no model", "at least one")
        tasks = sorted({question.task for question in listed})
        return passed(", ".join(tasks))


class MetricCounts(Check):
    """Run `python -m course start 11` again, and compare what you count with each line."""

    name = "the metric counts what is asked for, and nothing else"
    requires = (ModelIsInService,)

    def run(self, copy: Copy) -> Verdict:
        """Start the API, and look at the metric after each of some questions."""
        wanted = Wanted(copy.personal)
        listed = questions(copy)
        with probe.api(copy) as api:
            for path in OTHER_PATHS:
                api.get(path)
            counts = {question.task: 0.0 for question in listed}
            _require(api, wanted, counts, "before any request for predictions")
            for question in listed:
                api.post(f"/predict/{question.task}", question.body)
                counts[question.task] += wanted.counts(question.size)
                _require(api, wanted, counts, _described(question))
        return passed(f"{wanted.sample}, after each of {len(listed)} requests")


def _described(question: Question) -> str:
    if not question.size:
        return "after a request that is not valid"
    if isinstance(question.body, dict):
        return "after a request with a single record that is not in a list"
    word = "record" if question.size == 1 else "records"
    return f"after a request with {question.size} {word}"


def _require(api: Api, wanted: Wanted, counts: dict[str, float], when: str) -> None:
    """Check the values of the metric.

    Args:
        api: what is asked.
        wanted: the metric.
        counts: the value that it must have, by the task.
        when: after which request, for the message.

    Raises:
        Red: they are others.
    """
    mine = {}
    for name, value in api.metrics().items():
        metric, _, _ = name.partition("{")
        if metric == wanted.sample:
            mine[name] = value
    if not mine and any(counts.values()):
        raise Red(f"/metrics has no {wanted.sample} {when}")
    for task, count in counts.items():
        name = f'{wanted.sample}{{task="{task}"}}'
        value = mine.pop(name, 0.0)
        if value != count:
            raise Red(f"{when} it is {value:g}", f"{count:g}")
    for name in mine:
        raise Red(f"/metrics has {name}", "the label task, and no other")


class PanelAsksForIt(Check):
    """Add a panel with the metric to `mlops-dashboard.json`: docs/dashboards.md shows how."""

    name = "a panel shows it"

    def run(self, copy: Copy) -> Verdict:
        """Look for a query with the metric in the dashboards."""
        wanted = Wanted(copy.personal).sample
        for panel in _panels(copy):
            for target in panel.get("targets", []):
                query = str(target.get("expr", ""))
                if wanted in query:
                    return passed(f"{panel.get('title')}")
        return failed(f"no panel of {BOARDS} asks for {wanted}")


def _panels(copy: Copy) -> list[Panel]:
    """Return the panels of all dashboards, and those that are folded in a row."""
    listed: list[Panel] = []
    for path in copy.paths(BOARDS):
        if not path.endswith(".json"):
            continue
        for panel in copy.json(path).get("panels", []):
            listed.append(panel)
            listed += panel.get("panels", [])
    return listed


class PagesAreWritten(Check):
    """Run `./scripts/nox.sh -s docs`, and the tests in `tests/unit/monitoring`."""

    name = "the template's tests of pages and dashboards pass"
    requires = (PanelAsksForIt,)

    def run(self, copy: Copy) -> Verdict:
        """Run the template's tests over the student's code, pages and dashboards."""
        outcome = template_tests.run(copy, PARTS, TESTS)
        if not outcome.succeeded:
            return failed(template_tests.reason(outcome))
        return passed("docs/metrics.md, dashboards")


CHECKS = (ModelIsInService, MetricCounts, PanelAsksForIt, PagesAreWritten)
