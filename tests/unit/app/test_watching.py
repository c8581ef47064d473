"""What the application does beside answering."""

import asyncio
import logging

import pytest

from app import main


def test_what_fails_once_is_looked_at_again(caplog: pytest.LogCaptureFixture) -> None:
    looks, again = list[int](), asyncio.Event()

    async def live_shortly() -> None:
        loop = asyncio.get_running_loop()

        def look() -> None:
            looks.append(len(looks))
            if len(looks) == 1:
                raise OSError("a folder is away")
            loop.call_soon_threadsafe(again.set)

        watcher = asyncio.create_task(main._repeat("the folder", look, 0.001))
        await asyncio.wait_for(again.wait(), 10)
        watcher.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(live_shortly())
    assert looks[:2] == [0, 1]
    assert (
        "the folder could not be looked at" in caplog.text and "is away" in caplog.text
    )
