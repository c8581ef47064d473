"""Reads `.env` as Docker Compose does, so that it means the same without Docker.

The names of variables may stand in a message, their values never: some are passwords.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from scripts.stack import interpolation

# What Compose treats as a space; a line break is not one.
SPACES = " \t\v\f\r\x85\xa0"
ENDS_NAME = "=:\n"
IN_NAMES = "_.-[]"
ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-7]{1,3})')
ESCAPED = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANK = re.compile(r"(?:\s|#[^\n]*)*")
EXPORT = re.compile(rf"(?:export[{SPACES}\n]+)?[{SPACES}]*")
PADDING = re.compile(rf"[{SPACES}]*")
QUOTED = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}


def read(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a file sets; those of the environment take precedence.

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
    # Letters in another encoding, say in a comment, are allowed: Compose passes their
    # bytes on.
    content = content.removeprefix(BYTE_ORDER_MARK)
    text = content.decode("utf-8", "surrogateescape")
    return Parser(text, file.name, environment).parse()


class Parser:
    """A position in the text of an `.env`, and the variables that were read so far."""

    def __init__(self, text: str, name: str, environment: Mapping[str, str]) -> None:
        self._text = text
        self._name = name
        self._environment = environment
        self._at = 0
        self._variables: dict[str, str] = {}

    def parse(self) -> dict[str, str]:
        """Return all variables."""
        while self._begins_statement():
            self._skip(EXPORT)
            name, has_value = self._read_name()
            if has_value:
                self._variables[name] = self._read_value(name)
            if name in self._environment:
                self._variables[name] = self._environment[name]
        return self._variables

    def _begins_statement(self) -> bool:
        """Skip blank lines and comments, and return whether a variable follows."""
        self._skip(BLANK)
        return self._at < len(self._text)

    def _read_name(self) -> tuple[str, bool]:
        """Return a name, and whether a value follows it.

        A name alone takes its value from the environment.
        """
        start = self._at
        for end in range(start, len(self._text)):
            letter = self._text[end]
            if letter in ENDS_NAME:
                self._at = end + 1
                name = self._name_between(start, end)
                return name, letter != "\n"
            allowed = letter.isalnum() or letter in IN_NAMES or letter in SPACES
            if not allowed:
                self._fail(start, "has a character that no name of a variable can have")
        self._at = len(self._text)
        name = self._name_between(start, self._at)
        return name, False

    def _name_between(self, start: int, end: int) -> str:
        name = self._text[start:end].rstrip(SPACES)
        if not name:
            self._fail(start, "has a value without a name")
        if " " in name:
            self._fail(start, "has a space in the name of a variable")
        return name

    def _read_value(self, name: str) -> str:
        self._skip(PADDING)
        start = self._at
        if self._text.startswith("'", start):
            return self._read_quoted("'")
        if self._text.startswith('"', start):
            quoted = self._read_quoted('"')
            value = ESCAPE.sub(_unescape, quoted)
        else:
            line, _, _ = self._text[start:].partition("\n")
            self._at += len(line)
            value, _, _ = line.partition(" #")
            value = value.rstrip()
        try:
            return interpolation.interpolate(value, self._lookup)
        except ValueError as error:
            self._fail(start, f"sets {name}: {error}")

    def _read_quoted(self, quote: str) -> str:
        r"""Return the text between quotes, without the `\` before an inner quote."""
        match = QUOTED[quote].match(self._text, self._at)
        if not match:
            self._fail(self._at, "has a quote that does not end")
        self._at = match.end()
        return match[1].replace(f"\\{quote}", quote)

    def _lookup(self, name: str) -> str | None:
        if name in self._environment:
            return self._environment[name]
        return self._variables.get(name)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match:
            self._at = match.end()

    def _fail(self, at: int, what: str) -> NoReturn:
        line = self._text.count("\n", 0, at) + 1
        raise ValueError(f"{self._name}, line {line}, {what}: see .env.example.")


def _unescape(match: re.Match[str]) -> str:
    escaped = match[0].removeprefix("\\")
    if escaped == "$":
        return "$$"  # a dollar sign that does not begin a variable
    if escaped.startswith("0"):
        return chr(int(escaped, 8))
    return ESCAPED.get(escaped, escaped)
