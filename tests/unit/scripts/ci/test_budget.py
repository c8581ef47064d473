"""What runs cost by the estimate, what a private copy may cost, and that docs/push.md
says so.
"""

import pytest

from scripts.ci import budget
from scripts.ci.budget import BUDGETS, MINUTES, Budget
from scripts.ci.plan import Event, plan
from tests.paths import ROOT

MAIN = Event("push", "refs/heads/main", "main")
DOCUMENTS = Event("push", "refs/heads/main", "main", documents=True)
REQUEST = Event("pull_request", "refs/pull/7/merge", "main")
KINDS = {
    "a push to the default branch": (MAIN, ()),
    "a push of documentation only": (DOCUMENTS, ()),
    "a push to a pull request": (REQUEST, ("comment",)),
}


def cost(event: Event, allowed: Budget, more: tuple[str, ...] = ()) -> int:
    pythons = 1 if event.documents else len(allowed.pythons)
    jobs = ("plan", *plan(event, allowed).jobs, *more, "verdict")
    return budget.minutes(jobs, pythons, len(allowed.images))


def test_a_push_to_a_private_copy_costs_25_minutes_at_most() -> None:
    assert cost(MAIN, budget.choose("", private=True)) <= 25


@pytest.mark.parametrize(("kind", "event", "more"), [(k, *v) for k, v in KINDS.items()])
def test_the_table_in_the_docs_is_what_is_computed(
    kind: str, event: Event, more: tuple[str, ...]
) -> None:
    small, full = (cost(event, BUDGETS[name], more) for name in ("small", "full"))
    assert f"| {kind} | {small} | {full} |" in (ROOT / "docs" / "push.md").read_text(
        "utf-8"
    )


def test_the_nights_and_the_jobs_of_the_table_are_the_estimates() -> None:
    page = (ROOT / "docs" / "push.md").read_text("utf-8")
    night = MINUTES["plan"] + MINUTES["e2e"] + MINUTES["scan"]
    assert f"| a night after a push | {night} | – |" in page
    assert f"| a night without a push | {MINUTES['plan']} | – |" in page
    for job, minutes in MINUTES.items():
        assert f"{job} {minutes}" in page, job
