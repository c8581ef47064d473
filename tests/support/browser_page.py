"""A page in a real browser that a test uses as a person does: it types, presses keys and
reads.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.browser import BROWSER
from tests.support.waiting import wait_until
from tools.browser import Message, Page, running


class BrowserPage:
    """The page of a browser, with what a person does there."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def faults(self) -> list[str]:
        """What a policy forbade, and what went wrong in a script."""
        return self._page.faults

    def open(self, address: str) -> None:
        """Open an address and wait until its scripts have run."""
        self._page.open(address)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, which may be a promise."""
        return self._page.run(expression)

    def wait_for(self, expression: str) -> None:
        """Wait until an expression of JavaScript is true."""
        wait_until(lambda: self.evaluate(expression))

    def text(self, selector: str) -> str:
        """Return the visible text of an element, in one line."""
        quoted = json.dumps(selector)
        text: str = self.evaluate(f"document.querySelector({quoted}).innerText")
        words = text.split()
        return " ".join(words)

    def text_of_new(self, selector: str) -> str:
        """Wait until there is such an element, and return its text."""
        quoted = json.dumps(selector)
        self.wait_for(f"document.querySelector({quoted}) != null")
        return self.text(selector)

    def type_into(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        quoted = json.dumps(selector)
        self.evaluate(f"document.querySelector({quoted}).select()")
        self.command("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key, and let it go."""
        self._page.press(key)

    def command(self, method: str, **parameters: Any) -> Message:
        """Return the browser's answer to a command of the DevTools protocol."""
        return self._page.call(method, **parameters)


@contextmanager
def browser_page(profile: Path) -> Iterator[BrowserPage]:
    """Run a browser with a profile of its own, and yield its page."""
    assert BROWSER
    with running(BROWSER, profile) as page:
        yield BrowserPage(page)
