"""Ways to cheat in lesson 11."""

from course.lessons.lesson_11_your_metric import solution
from course.lessons.lesson_11_your_metric.check import (
    MetricCounts,
    PagesAreWritten,
    PanelAsksForIt,
)
from course.lessons.lesson_11_your_metric.wanted import SIGNS, Wanted
from course.work import Fake, Work


def everything(work: Work) -> None:
    """Count every request."""
    wanted = Wanted(work.personal)
    solution.define(work, wanted)
    solution.condition(work, ">=", 0, wanted.unit)
    solution.show(work, wanted)
    work.commit(solution.MESSAGE)


def constant(work: Work) -> None:
    """Define a metric that has a value from the start."""
    wanted = Wanted(work.personal)
    solution.define(work, wanted)
    solution.condition(work, SIGNS[wanted.comparison], wanted.bound, wanted.unit)
    grown = '        self.sized.labels("iris").inc(17)\n'
    before = solution.BEFORE_METRIC
    work.edit(solution.METRICS, before, grown + before)
    work.commit(solution.MESSAGE)


def friend(work: Work) -> None:
    """Count what somebody else is asked to count: one record more."""
    wanted = Wanted(work.personal)
    solution.define(work, wanted)
    sign = SIGNS[wanted.comparison]
    solution.condition(work, sign, wanted.bound + 1, wanted.unit)
    work.commit(solution.MESSAGE)


def no_panel(work: Work) -> None:
    """Count, and show it nowhere."""
    wanted = Wanted(work.personal)
    solution.define(work, wanted)
    solution.condition(work, SIGNS[wanted.comparison], wanted.bound, wanted.unit)
    work.commit(solution.MESSAGE)


def old_pages(work: Work) -> None:
    """Leave the generated page as it was."""
    solution.solve(work)
    work.git("checkout", "HEAD~1", "--", "docs/metrics.md")
    work.commit("docs: undo")


FAKES = (
    Fake("every request counts", everything, MetricCounts, "after a request"),
    Fake("a number from the start", constant, MetricCounts, "before any request"),
    Fake("a friend's metric", friend, MetricCounts, "after a request"),
    Fake("no panel", no_panel, PanelAsksForIt, "no panel"),
    Fake("a page that was not written", old_pages, PagesAreWritten, "metrics.md"),
)
