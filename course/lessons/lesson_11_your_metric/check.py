"""Checks of lesson 11: the metric of the running API, its pages, its panel."""

from typing import Any

from course.check import Check
from course.copy import Copy
from course.grading import probe, template_tests
from course.grading.probe import Api
from course.grading.result import Verdict, failed, passed
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
            counts = dict.fromkeys((question.task for question in listed), 0.0)
            fault = _fault(api, wanted, counts, "before any request for predictions")
            for question in listed:
                if fault:
                    break
                counts[question.task] += wanted.counts(question.size)
                _ask(api, question)
                fault = _fault(api, wanted, counts, _described(question))
        return fault or passed(f"{wanted.sample}, after each of {len(listed)} requests")


def _ask(api: Api, question: Question) -> None:
    api.post(f"/predict/{question.task}", question.body)


def _described(question: Question) -> str:
    if not question.size:
        return "after a request that is not valid"
    if isinstance(question.body, dict):
        return "after a request with a single record that is not in a list"
    word = "record" if question.size == 1 else "records"
    return f"after a request with {question.size} {word}"


def _fault(
    api: Api, wanted: Wanted, counts: dict[str, float], when: str
) -> Verdict | None:
    """Return what is wrong with the metric now, or None."""
    samples = api.metrics()
    mine = {}
    for name, value in samples.items():
        if name.partition("{")[0] == wanted.sample:
            mine[name] = value
    if not mine and any(counts.values()):
        return failed(f"/metrics has no {wanted.sample} {when}")
    expected = {f'{wanted.sample}{{task="{task}"}}' for task in counts}
    strange = sorted(mine.keys() - expected)
    if strange:
        return failed(f"/metrics has {strange[0]}", "the label task, and no other")
    for task, count in counts.items():
        value = mine.get(f'{wanted.sample}{{task="{task}"}}', 0.0)
        if value != count:
            return failed(f"{when} it is {value:g}", f"{count:g}")
    return None


class PanelAsksForIt(Check):
    """Add a panel with the metric to `mlops-dashboard.json`: docs/dashboards.md shows how."""

    name = "a panel shows it"

    def run(self, copy: Copy) -> Verdict:
        """Look for a query with the metric in the dashboards."""
        wanted = Wanted(copy.personal).sample
        for path in copy.paths(BOARDS):
            if path.endswith(".json"):
                for panel in _panels(copy.json(path)):
                    if any(wanted in query for query in _queries(panel)):
                        return passed(f"{panel.get('title')}")
        return failed(f"no panel of {BOARDS} asks for {wanted}")


def _panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for panel in board.get("panels", []):
        listed += [panel, *panel.get("panels", [])]
    return listed


def _queries(panel: dict[str, Any]) -> list[str]:
    return [str(target.get("expr", "")) for target in panel.get("targets", [])]


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
