"""Ways to cheat in lesson 10."""

from course.lessons.lesson_10_alert import solution, wanted
from course.lessons.lesson_10_alert.check import (
    CasesCatch,
    FiresAsAsked,
    RunbookIsThere,
)
from course.work import Fake, Work


def always(work: Work) -> None:
    """Write a rule that fires whatever happens, with the labels that are asked for."""
    expression = 'vector(0.5) and on () vector(1) or up{job="x"}'
    solution.write_rule(work, solution.rule(expression, work.personal.alert_minutes))
    solution.write_cases(work, [])
    solution.describe(work)
    work.commit(solution.MESSAGE)


def friend(work: Work) -> None:
    """Hand in the alert of somebody else: a higher threshold, a longer wait."""
    minutes = work.personal.alert_minutes + 6
    share = 2 * work.personal.alert_percent / 100
    solution.write_rule(work, solution.rule(wanted.share(">", share), minutes))
    solution.write_cases(work, solution.cases(share, minutes))
    solution.describe(work)
    work.commit(solution.MESSAGE)


def expects_nothing(work: Work) -> None:
    """Write cases that are true of nearly every rule."""
    solution.solve(work)
    share = work.personal.alert_percent / 100
    tests = solution.cases(share, work.personal.alert_minutes)
    solution.write_cases(work, tests[1:])
    work.commit("test: make the cases pass")


def far_above(work: Work) -> None:
    """Write a case whose fault is so large that any threshold sees it."""
    solution.solve(work)
    minutes = work.personal.alert_minutes
    tests = solution.cases(0.6, minutes)
    solution.write_cases(work, [tests[0]])
    work.commit("test: make the cases pass")


def undocumented(work: Work) -> None:
    """Leave the runbook out."""
    solution.solve(work)
    work.edit("docs/runbooks.md", solution.RUNBOOK, "")
    work.commit("docs: shorten")


FAKES = (
    Fake("an alert that always fires", always, FiresAsAsked, "all is well"),
    Fake("a friend's alert", friend, FiresAsAsked, "just above the threshold"),
    Fake("cases that expect nothing", expects_nothing, CasesCatch, "too high"),
    Fake("a fault that any rule sees", far_above, CasesCatch, "much too high"),
    Fake("no runbook", undocumented, RunbookIsThere, "toofewpredictions"),
)
