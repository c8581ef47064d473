"""The levels of all challengers of a champion share one probability of an error."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.publish.error_level import FALSE_PROMOTIONS, level


@given(st.integers(1, 3000))
def test_however_many_challengers_there_are_the_error_is_bounded(count: int) -> None:
    levels = [level(place) for place in range(1, count + 1)]
    total = sum(levels)
    assert 0 < total < FALSE_PROMOTIONS


@given(st.integers(1, 10**12))
def test_each_challenger_needs_more_than_the_one_before(place: int) -> None:
    assert level(place + 1) < level(place)


def test_nothing_of_the_error_is_left_unused() -> None:
    total = sum(level(place) for place in range(1, 20_000))
    assert total > 0.99 * FALSE_PROMOTIONS
