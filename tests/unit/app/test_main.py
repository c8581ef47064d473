"""What the application does in the background."""

import asyncio
import logging

import pytest

from app import main


def test_a_background_call_that_fails_is_logged_and_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls: list[int] = []
    called_again = asyncio.Event()

    async def live_shortly() -> None:
        loop = asyncio.get_running_loop()

        def call() -> None:
            calls.append(len(calls))
            if len(calls) == 1:
                raise OSError("a folder is away")
            loop.call_soon_threadsafe(called_again.set)

        background = asyncio.create_task(main.repeat("reading", call, 0.001))
        await asyncio.wait_for(called_again.wait(), 10)
        background.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(live_shortly())
    assert calls[:2] == [0, 1]
    assert "reading failed" in caplog.text
    assert "a folder is away" in caplog.text
