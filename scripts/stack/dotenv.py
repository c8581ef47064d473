"""Reads `.env` as Docker Compose does, so that one file means the same with Docker and
without.

The names of variables may stand in a message, their values never: some are passwords.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from scripts.stack import interpolation

# What Compose takes for a space; a line break is none.
SPACES = " \t\v\f\r\x85\xa0"
ENDS_NAME = "=:\n"
IN_NAMES = "_.-[]"
ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-7]{1,3})')
ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BLANK = re.compile(r"(?:\s|#[^\n]*)*")
EXPORT = re.compile(rf"(?:export[{SPACES}\n]+)?[{SPACES}]*")
PADDING = re.compile(rf"[{SPACES}]*")


def read(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a file sets; those of the environment come before the
    file's.

    Raises:
        OSError: the file can't be read.
        ValueError: it has a line that Compose would refuse, or is UTF-16.
    """
    content = file.read_bytes()
    if content.startswith(UTF_16) or b"\0" in content:
        raise ValueError(
            f"{file.name} is not UTF-8 but UTF-16, which PowerShell 5 writes with `>`"
            " and `>>`: save it as UTF-8."
        )
    # A letter of another encoding, say in a comment, is no fault: Compose passes its
    # bytes on.
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return Parser(text, file.name, environment).parse()


class Parser:
    """A place in the text of an `.env`, and the variables that were read before it."""

    def __init__(self, text: str, name: str, environment: Mapping[str, str]) -> None:
        self._text, self._name, self._environment = text, name, environment
        self._at = 0
        self._found: dict[str, str] = {}

    def parse(self) -> dict[str, str]:
        """Return all variables."""
        while self._begins_statement():
            self._skip(EXPORT)
            name, has_value = self._read_name()
            value = self._read_value(name) if has_value else None
            value = self._environment.get(name, value)
            if value is not None:
                self._found[name] = value
        return self._found

    def _begins_statement(self) -> bool:
        """Go to the next variable, past blank lines and comments; tell whether there is
        one.
        """
        self._skip(BLANK)
        return self._at < len(self._text)

    def _read_name(self) -> tuple[str, bool]:
        """Return a name, and whether a value follows; a name alone is one of the
        environment.
        """
        start = self._at
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter in ENDS_NAME:
                name = self._text[start : self._at - 1].rstrip(SPACES)
                self._require_name(name, start)
                return name, letter != "\n"
            if not (letter.isalnum() or letter in IN_NAMES or letter in SPACES):
                self._fail(start, "has a character that no name of a variable can have")
        name = self._text[start:].rstrip(SPACES)
        self._require_name(name, start)
        return name, False

    def _require_name(self, name: str, start: int) -> None:
        if not name:
            self._fail(start, "has a value without a name")
        if " " in name:
            self._fail(start, "has a space in the name of a variable")

    def _read_value(self, name: str) -> str:
        self._skip(PADDING)
        start = self._at
        quote = self._text[start : start + 1]
        if quote and quote in "'\"":
            value = self._read_quoted(quote)
            if quote == "'":
                return value
            value = ESCAPE.sub(_unescape, value)
        else:
            line = self._text[start:].partition("\n")[0]
            self._at += len(line)
            value = line.partition(" #")[0].rstrip()
        try:
            return interpolation.interpolate(value, self._lookup)
        except ValueError as error:
            self._fail(start, f"sets {name}: {error}")

    def _read_quoted(self, quote: str) -> str:
        r"""Return what stands between quotes, with `\` before a quote taken away."""
        end = re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL)
        found = end.match(self._text, self._at)
        if not found:
            self._fail(self._at, "has a quote that does not end")
        self._at = found.end()
        return found[1].replace(f"\\{quote}", quote)

    def _lookup(self, name: str) -> str | None:
        return self._environment.get(name, self._found.get(name))

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._at):
            self._at = found.end()

    def _fail(self, at: int, what: str) -> NoReturn:
        line = self._text.count("\n", 0, at) + 1
        raise ValueError(f"{self._name}, line {line}, {what}: see .env.example.")


def _unescape(found: re.Match[str]) -> str:
    letter = found[0][1:]
    if letter == "$":
        return "$$"  # which stands for a dollar sign that begins no variable
    if letter[0] == "0":
        return chr(int(letter, 8))
    return ESCAPED.get(letter, letter)
