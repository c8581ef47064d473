"""The estimated cost of runs, which docs/push.md repeats."""

import pytest

from scripts.ci import budget
from scripts.ci.budget import BUDGETS, MINUTES, Budget
from scripts.ci.plan import Event, plan
from tests.paths import ROOT

MAIN = Event("push", "refs/heads/main", "main")
DOCUMENTS = Event("push", "refs/heads/main", "main", documents=True)
REQUEST = Event("pull_request", "refs/pull/7/merge", "main")
PAGE = ROOT / "docs" / "push.md"


def cost(event: Event, allowed: Budget) -> int:
    """Return the billed minutes of a run."""
    pythons = len(allowed.pythons)
    if event.documents:
        pythons = 1
    jobs = ["plan", "verdict"]
    jobs += plan(event, allowed).jobs
    if event is REQUEST:
        jobs.append("comment")
    return budget.minutes(jobs, pythons, len(allowed.images))


def test_a_push_to_a_private_copy_costs_25_minutes_at_most() -> None:
    private = budget.choose("", private=True)
    assert cost(MAIN, private) <= 25


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
    night = MINUTES["plan"] + MINUTES["e2e"] + MINUTES["scan"]
    assert f"| a night after a push | {night} | – |" in page
    assert f"| a night without a push | {MINUTES['plan']} | – |" in page
    for job, minutes in MINUTES.items():
        assert f"{job} {minutes}" in page, job
