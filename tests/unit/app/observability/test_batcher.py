"""A queue that a thread empties: it loses nothing, keeps the order and its limit."""

import threading
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.observability.batcher import Batcher

QUICK = 0.001


@settings(max_examples=50)
@given(st.lists(st.integers(), max_size=500))
def test_nothing_is_lost_and_the_order_is_kept(items: list[int]) -> None:
    written: list[int] = []
    batcher: Batcher[int] = Batcher(written.extend, 1000, QUICK)
    for item in items:
        assert batcher.add(item)
    batcher.close()
    assert written == items


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
        if fits:
            waiting += weight
    batcher.close()
    assert sum(written) == waiting


def test_several_threads_lose_nothing_and_each_keeps_its_order() -> None:
    written: list[tuple[int, int]] = []
    batcher: Batcher[tuple[int, int]] = Batcher(written.extend, 100_000, QUICK)

    def work(thread: int) -> None:
        for number in range(2000):
            assert batcher.add((thread, number))

    threads = []
    for number in range(4):
        thread = threading.Thread(target=work, args=[number])
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    batcher.close()
    numbers: dict[int, list[int]] = defaultdict(list)
    for thread_number, number in written:
        numbers[thread_number].append(number)
    assert numbers == dict.fromkeys(range(4), list(range(2000)))


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
