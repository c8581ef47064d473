"""Checks that two ways to read a history give the same runs."""

from history import History


def check_same_summaries(opened: History, checkout: History) -> None:
    """Check the summaries of all runs, and those of some in an order of their own."""
    summaries = list(opened.summaries())
    assert summaries == list(checkout.summaries())
    some = list(checkout.folders)[2:0:-1]
    summaries_of_some = list(opened.summaries(some))
    assert summaries_of_some == list(checkout.summaries(some))
    assert [run.run_id for run in summaries_of_some] == some


def check_same_runs(opened: History, checkout: History) -> None:
    """Check the runs, those of an experiment, the newest ones, and the champion."""
    runs = list(opened.runs())
    assert runs == list(checkout.runs())
    runs_of_one = list(opened.runs("housing"))
    assert runs_of_one == list(checkout.runs("housing"))
    assert opened.newest(2) == checkout.newest(2)
    champion = opened.champion("housing")
    assert champion == checkout.champion("housing")
