"""A queue that a thread empties: it loses nothing, keeps the order and its limit."""

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
    assert written == sum(portions, [])


@settings(max_examples=50)
@given(st.lists(st.integers(1, 20), max_size=50), st.integers(1, 100))
def test_waiting_items_never_weigh_more_than_the_limit(
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
    for thread_number in range(4):
        numbers = [number for thread, number in written if thread == thread_number]
        assert numbers == list(range(2000))


def test_a_batch_that_fails_makes_room_for_the_next(
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
