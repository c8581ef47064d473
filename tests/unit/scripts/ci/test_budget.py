"""The estimated cost of runs, which docs/push.md repeats."""

import pytest

from scripts.ci import budget
from scripts.ci.budget import BUDGETS, MINUTES, NIGHT_MINUTES, Budget
from scripts.ci.plan import Event, plan
from tests.paths import ROOT

MAIN = Event("push", "refs/heads/main", "main")
DOCUMENTS = Event("push", "refs/heads/main", "main", documents=True)
REQUEST = Event("pull_request", "refs/pull/7/merge", "main")
# The job of course.yml: the start, the packages, the checks that the push concerns.
COURSE_JOB = 3
PAGE = ROOT / "docs" / "push.md"


def cost(event: Event, allowed: Budget, trainings: int = 1) -> int:
    """Return the billed minutes of a run."""
    pythons = len(allowed.pythons)
    if event.documents:
        pythons = 1
    jobs = ["plan", "verdict"]
    jobs += plan(event, allowed).jobs
    if event is REQUEST:
        jobs.append("comment")
    return budget.minutes(jobs, pythons, len(allowed.images), trainings)


def test_a_push_to_a_private_copy_costs_25_minutes_at_most() -> None:
    private = budget.choose("", private=True)
    assert cost(MAIN, private) <= 25


def test_a_push_in_the_course_costs_12_minutes_at_most() -> None:
    assert cost(MAIN, budget.COURSE) + COURSE_JOB <= 12
    assert cost(DOCUMENTS, budget.COURSE) + COURSE_JOB <= 12
    assert cost(REQUEST, budget.COURSE) <= 12
    assert budget.night_minutes(budget.COURSE) == NIGHT_MINUTES["plan"]


def test_three_jobs_that_train_cost_more_than_a_private_copy_has() -> None:
    private = budget.choose("", private=True)
    one = cost(MAIN, private)
    three = cost(MAIN, private, trainings=3)
    assert three > 25
    page = PAGE.read_text("utf-8")
    assert f"costs {three} instead of {one} billed minutes" in page
    assert f"{budget.SHARD_MINUTES} minutes for each" in page


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("a push to the default branch", MAIN),
        ("a push of documentation only", DOCUMENTS),
        ("a push to a pull request", REQUEST),
    ],
)
def test_the_table_in_the_docs_has_the_estimates(kind: str, event: Event) -> None:
    small = cost(event, BUDGETS["small"])
    full = cost(event, BUDGETS["full"])
    row = f"| {kind} | {small} | {full} |"
    assert row in PAGE.read_text("utf-8")


def test_the_table_in_the_docs_has_the_nights_and_the_jobs() -> None:
    page = PAGE.read_text("utf-8")
    small = budget.night_minutes(BUDGETS["small"])
    full = budget.night_minutes(BUDGETS["full"])
    assert f"| a night after a push | {small} | {full} |" in page
    idle = NIGHT_MINUTES["plan"]
    assert f"| a night without a push | {idle} | {idle} |" in page
    by_day, _, at_night = page.partition("at night ")
    for job, minutes in MINUTES.items():
        assert f"{job} {minutes}" in by_day, job
    for job, minutes in NIGHT_MINUTES.items():
        assert f"{job} {minutes}" in at_night, job
