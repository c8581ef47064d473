"""A queue that a thread empties: nothing lost, order kept, bound respected."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.observability.batcher import Batcher

QUICK = 0.001


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(), max_size=50), max_size=10))
def test_nothing_is_lost_and_the_order_is_kept(portions: list[list[int]]) -> None:
    written: list[int] = []
    batcher: Batcher[int] = Batcher(written.extend, 1000, QUICK)
    for portion in portions:
        for item in portion:
            assert batcher.add(item)
    batcher.close()
    assert written == [item for portion in portions for item in portion]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 20), max_size=50), st.integers(1, 100))
def test_what_waits_never_weighs_more_than_the_limit(
    weights: list[int], limit: int
) -> None:
    written: list[int] = []
    batcher: Batcher[int] = Batcher(written.extend, limit, 60)
    waiting = 0
    for weight in weights:
        fits = waiting + weight <= limit
        assert batcher.add(weight, weight) == fits
        waiting += weight * fits
    batcher.close()
    assert sum(written) == waiting <= limit


def test_several_threads_lose_nothing_and_each_keeps_its_order() -> None:
    written: list[tuple[int, int]] = []
    batcher: Batcher[tuple[int, int]] = Batcher(written.extend, 100_000, QUICK)

    def work(thread: int) -> None:
        for number in range(2000):
            assert batcher.add((thread, number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.close()
    for own in range(4):
        assert [number for thread, number in written if thread == own] == list(
            range(2000)
        )


def test_there_is_room_again_once_a_batch_is_written_also_where_that_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    written: list[int] = []
    tried = threading.Semaphore(0)

    def write(items: list[int]) -> None:
        tried.release()
        if items == [1]:
            raise ValueError("no room on this device")
        written.extend(items)

    batcher: Batcher[int] = Batcher(write, 1, QUICK)
    assert batcher.add(1)
    assert tried.acquire(timeout=10)
    while not batcher.add(2):
        pass
    batcher.close()
    assert written == [2]
    assert "no room on this device" in capsys.readouterr().err
