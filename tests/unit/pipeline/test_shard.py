"""Shards share the tasks of a training: each task is in exactly one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from pipeline.shard import Shard


@given(st.integers(1, 12), st.integers(1, 12))
def test_each_task_is_in_one_shard_and_none_is_empty(tasks: int, count: int) -> None:
    names = [f"task_{number}" for number in range(tasks)]
    taken: list[str] = []
    for number in range(1, count + 1):
        shard = Shard.parse(f"{number}/{count}")
        assert shard
        if count > tasks:
            with pytest.raises(UsageError, match=f"too few for {count} shards"):
                shard.of(names)
            return
        share = shard.of(names)
        assert share
        taken += share
    taken.sort()
    assert taken == sorted(names)


def test_no_text_is_no_shard() -> None:
    assert Shard.parse("") is None


@pytest.mark.parametrize("text", ["1", "0/2", "3/2", "1/0", "a/b", "1/2/3", " 1/2"])
def test_another_text_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard: write NUMBER/COUNT"):
        Shard.parse(text)
