"""A page in a browser without a window that a test uses as a person does: it types,
presses keys and reads.

The tests speak the browser's DevTools protocol over a WebSocket, with the client of
Tornado, which Dask brings along.
"""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

from scripts.loopback import ask
from tests.support.browser import browser_command
from tests.support.waiting import PATIENCE_SECONDS, wait_until

# What a key press consists of: its name, its number on Windows, and the text it enters.
KEYS: dict[str, dict[str, Any]] = {
    "Tab": {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9},
    "Enter": {
        "key": "Enter",
        "code": "Enter",
        "windowsVirtualKeyCode": 13,
        "text": "\r",
    },
}


class BrowserPage:
    """One page; leaving its context ends the browser.

    Attributes:
        faults: what a policy forbade, and what went wrong in a script.
    """

    def __init__(self, profile: Path) -> None:
        self.faults: list[str] = []
        self._profile = profile
        self._loop = asyncio.new_event_loop()
        self._socket: WebSocketClientConnection
        self._sent = 0

    def __enter__(self) -> "BrowserPage":
        command = browser_command(
            self._profile, "--remote-debugging-port=0", "about:blank"
        )
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        port = self._port()
        pages = ask(f"http://127.0.0.1:{port}/json/list")
        (address,) = (
            page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"
        )
        connection = _connect(address)
        self._socket = self._loop.run_until_complete(connection)
        for domain in ("Page", "Runtime", "Log"):
            self.command(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._loop.close()

    def open(self, address: str) -> None:
        """Open an address and wait until its scripts have run."""
        self.command("Page.navigate", url=address)
        self.wait_for("location.href != 'about:blank' && document.readyState")
        self.wait_for("document.readyState == 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript, which may be a promise."""
        answer = self.command(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

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

    def press(self, name: str) -> None:
        """Press a key, and let it go."""
        self.command("Input.dispatchKeyEvent", type="keyDown", **KEYS[name])
        self.command("Input.dispatchKeyEvent", type="keyUp", **KEYS[name])

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the browser's answer to a command; note the faults it reports."""
        answer = self._command(method, parameters)
        limited = asyncio.wait_for(answer, PATIENCE_SECONDS)
        return self._loop.run_until_complete(limited)

    async def _command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._sent += 1
        request = {"id": self._sent, "method": method, "params": parameters}
        await self._socket.write_message(json.dumps(request))
        while True:
            text = await self._socket.read_message()
            assert text is not None, "the browser has ended"
            message = json.loads(text)
            self._note(message)
            if message.get("id") == self._sent:
                assert "error" not in message, (method, message["error"])
                result: dict[str, Any] = message["result"]
                return result

    def _note(self, message: dict[str, Any]) -> None:
        method = message.get("method")
        if method == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(message["params"]))
        if method == "Log.entryAdded":
            entry = message["params"]["entry"]
            # The answer to a request that the page expects may be an error.
            if entry["level"] == "error" and entry["source"] != "network":
                self.faults.append(entry["text"])

    def _port(self) -> str:
        """Return the port that the browser listens on, once it does."""
        file = self._profile / "DevToolsActivePort"
        wait_until(lambda: file.is_file() and file.read_text("utf-8").strip())
        port, *_ = file.read_text("utf-8").splitlines()
        return port


async def _connect(address: str) -> WebSocketClientConnection:
    # In a coroutine, because Tornado looks for the loop that runs.
    return await websocket_connect(address)
