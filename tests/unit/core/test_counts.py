"""Numbers of things, in words."""

import pytest

from core.counts import counted


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 runs"), (1, "1 run"), (2, "2 runs"), (20640, "20,640 runs")],
)
def test_one_thing_has_no_plural(count: int, words: str) -> None:
    assert counted(count, "run") == words


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 query is left out"), (3, "3 queries are left out")]
)
def test_a_plural_may_have_words_of_its_own(count: int, words: str) -> None:
    assert counted(count, "query is left out", "queries are left out") == words
