"""A browser without a window, driven through a pipe by the DevTools protocol.

Unlike `chromium --dump-dom` it keeps running: a page can be used with the keyboard,
looked at in another size or colour scheme, and measured in real time.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from scripts import commands

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# Otherwise a browser sends requests to its vendor's servers before it draws a page.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Message = dict[str, Any]
# The browser reads commands from the first descriptor, and writes to the second.
_COMMANDS = 3
_ANSWERS = 4
_LOWEST_FREE = 10  # above the two, so that none is replaced before it is copied
_END = b"\0"
_FAULTS = ("Runtime.exceptionThrown", "Network.loadingFailed")


class PageError(Exception):
    """A script on the page failed, or the browser refused a command."""


class Page:
    """The only tab of a browser.

    Attributes:
        faults: what went wrong on the pages so far: exceptions, errors on the console,
            files that could not be loaded.
    """

    def __init__(self, commands: BinaryIO, answers: BinaryIO) -> None:
        self._commands = commands
        self._answers = answers
        self._number = 0
        self._session = ""
        self._loaded = False
        self.faults: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")
        attached = self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Message:
        """Send a command, and return its result.

        Raises:
            PageError: the browser refused it.
        """
        self._number += 1
        command = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if self._session:
            command["sessionId"] = self._session
        self._commands.write(json.dumps(command).encode() + _END)
        self._commands.flush()
        while True:
            message = self._read()
            if message.get("id") == self._number:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                result: Message = message["result"]
                return result
            self._note(message)

    def _read(self) -> Message:
        content = bytearray()
        while not content.endswith(_END):
            byte = self._answers.read(1)
            if not byte:
                raise PageError("the browser has ended")
            content += byte
        message: Message = json.loads(content[:-1])
        return message

    def _note(self, message: Message) -> None:
        """Remember what an event says."""
        method = message.get("method", "")
        parameters = message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method in _FAULTS:
            self.faults.append(json.dumps(parameters))
        elif method == "Log.entryAdded":
            entry = parameters["entry"]
            # The answer to a request that the page expects may be an error.
            if entry["level"] == "error" and entry["source"] != "network":
                self.faults.append(entry["text"])

    def open(self, address: str) -> None:
        """Open a page, and wait until all that it loads at first is there."""
        # From one # to another of the same page, a browser would load nothing.
        self._navigate("about:blank")
        self._navigate(address)

    def _navigate(self, address: str) -> None:
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            message = self._read()
            self._note(message)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited.

        Raises:
            PageError: it threw an exception.
        """
        answer = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise PageError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as `Tab`, `Enter` or `ArrowRight`."""
        text = {"Enter": "\r", "Space": " "}.get(key, "")
        code = {"Tab": 9, "Enter": 13, "Space": 32, "ArrowRight": 39}[key]
        keys: Message = {"key": text if key == "Space" else key, "code": key}
        keys["windowsVirtualKeyCode"] = code
        kind = "keyDown" if text else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", type=kind, text=text, **keys)
        self.call("Input.dispatchKeyEvent", type="keyUp", **keys)

    def look(self, width: int, height: int, scheme: str = "light") -> None:
        """Set the size in pixels, and the colour scheme that the user prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def picture(self) -> bytes:
        """Return a picture of the whole page, as PNG."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": size["height"],
            "scale": 1,
        }
        answer = self.call(
            "Page.captureScreenshot",
            format="png",
            clip=clip,
            captureBeyondViewport=True,
        )
        return base64.b64decode(answer["data"])


def find_browser() -> str:
    """Return the first browser that is installed.

    Raises:
        typer.Exit: there is none.
    """
    for name in BROWSERS:
        program = shutil.which(name)
        if program:
            return program
    names = ", ".join(BROWSERS)
    raise commands.fail(f"no browser found: install one of {names}.")


@contextlib.contextmanager
def running(program: str, profile: Path) -> Iterator[Page]:
    """Run a browser with a profile of its own, and yield its page.

    Args:
        program: Chromium or a browser like it.
        profile: a folder for what the browser remembers.
    """
    command_end, commands = os.pipe()
    answers, answer_end = os.pipe()
    theirs = (_raised(command_end), _raised(answer_end))

    def connect() -> None:
        os.dup2(theirs[0], _COMMANDS)
        os.dup2(theirs[1], _ANSWERS)

    command = [program, *QUIET, "--remote-debugging-pipe", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(_COMMANDS, _ANSWERS),
        preexec_fn=connect,
    )
    for descriptor in theirs:
        os.close(descriptor)
    with os.fdopen(commands, "wb") as to, os.fdopen(answers, "rb") as back:
        try:
            yield Page(to, back)
        finally:
            process.kill()
            process.wait()


def _raised(descriptor: int) -> int:
    """Return a copy of a descriptor with a number above those of the protocol."""
    passed = [descriptor]
    while descriptor < _LOWEST_FREE:
        descriptor = os.dup(descriptor)
        passed.append(descriptor)
    for number in passed[:-1]:
        os.close(number)
    return descriptor
