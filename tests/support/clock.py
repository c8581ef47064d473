"""A clock for one module, whose waits end at once.

To replace `time.sleep` itself would shorten the waits of every thread of the process:
of services that another test left running, too, which then are counted here.
"""

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest


def replace_sleep(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    sleep: Callable[[float], object],
) -> None:
    """Make one module call `sleep` instead of waiting."""
    monkeypatch.setattr(
        module, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    )
