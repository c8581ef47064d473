"""A real browser without a window, where there is one."""

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from tools.browser import BROWSERS, QUIET


def _program() -> str | None:
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    return None


BROWSER = _program()
in_a_browser = pytest.mark.skipif(
    BROWSER is None, reason="needs Chromium or a browser like it"
)


def browser_command(profile: Path, *arguments: str) -> list[str]:
    """Return a command that runs the browser with a profile of its own."""
    assert BROWSER
    return [BROWSER, *QUIET, f"--user-data-dir={profile}", *arguments]


def open_page(profile: Path, address: str) -> str:
    """Open a page and return what it has become after 12 seconds of its time.

    The browser reports what a policy forbade and what went wrong in a script: nothing
    may.
    """
    command = browser_command(
        profile,
        "--enable-logging=stderr",
        "--virtual-time-budget=12000",
        "--dump-dom",
        address,
    )
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    for line in done.stderr.splitlines():
        # The browser itself reports an answer with the status 503.
        if "CONSOLE" in line:
            assert "status of 503" in line
    return done.stdout


def visible_text(page: str) -> str:
    """Return what can be read on a page, in one line."""
    shown = re.sub(r"(?s)<(script|style|noscript).*?</\1>", "", page)
    text = unescape(re.sub(r"<[^>]+>", " ", shown))
    return " ".join(text.split())
