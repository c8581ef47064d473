"""A reader for dense ARFF files, the format of Weka and OpenML; values stay text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from core.counts import counted

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_VALUE = re.compile(rf"\s*({_QUOTED}|[^,'\"]*?)\s*(?:,|$)")
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|\S+)\s+(.+)", re.IGNORECASE)
_TYPES = ("numeric", "real", "integer", "string", "date")
MISSING = "?"


@dataclass(frozen=True)
class Attribute:
    """A column of the file; `allowed` has the values of a nominal one, else None."""

    name: str
    allowed: frozenset[str] | None


def read_arff(path: Path) -> pd.DataFrame:
    """Return the table in an ARFF file.

    Raises:
        ValueError: the file is not a complete ARFF file, it is sparse, or a row has the
            wrong number of values or a value that its attribute does not list.
    """
    with path.open(encoding="utf-8-sig") as file:
        try:
            attributes = _header(file)
            rows = list(_rows(file, attributes))
        except UnicodeDecodeError as error:
            raise ValueError(
                f"is not UTF-8 text ({error.reason}); save it as UTF-8"
            ) from error
    names = [attribute.name for attribute in attributes]
    return pd.DataFrame(rows, columns=names, dtype="str")


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the lines that are neither blank nor comments."""
    for line in file:
        text = line.strip()
        is_comment = text.startswith("%")
        if text and not is_comment:
            yield text


def _header(file: TextIO) -> list[Attribute]:
    attributes: list[Attribute] = []
    for line in _lines(file):
        word = line.split(maxsplit=1)[0].lower()
        if word == "@data":
            names = [attribute.name for attribute in attributes]
            _check_names(names)
            return attributes
        if word == "@attribute":
            attribute = _attribute(line)
            attributes.append(attribute)
        elif word != "@relation":
            break
    raise ValueError("is not an ARFF file: it has no @data line after its attributes")


def _attribute(line: str) -> Attribute:
    match = _ATTRIBUTE.fullmatch(line)
    if not match:
        raise ValueError(f"cannot understand the line {line!r}")
    name = _unquoted(match[1])
    kind = match[2].strip()
    if kind.startswith("{") and kind.endswith("}"):
        listed = kind[1:-1]
        allowed = frozenset(_values(listed))
        return Attribute(name, allowed)
    word = kind.split()[0]
    if word.lower() not in _TYPES:
        raise ValueError(f"attribute {name} has the unknown type {kind}")
    return Attribute(name, None)


def _check_names(names: list[str]) -> None:
    if not names:
        raise ValueError("has no attributes")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"has the column {name} twice; remove one of them")


def _rows(file: TextIO, attributes: list[Attribute]) -> Iterator[list[str]]:
    lines = _lines(file)
    for number, line in enumerate(lines, start=1):
        if line.startswith("{"):
            raise ValueError("is sparse ARFF; write every value of a row")
        values = _values(line)
        if len(values) != len(attributes):
            raise ValueError(
                f"row {number} has {counted(len(values), 'value')} for"
                f" {counted(len(attributes), 'column')}; correct the row or leave it out"
            )
        for attribute, value in zip(attributes, values, strict=True):
            if not _allows(attribute, value):
                raise ValueError(
                    f"row {number}, column {attribute.name}: the value {value!r} is not"
                    " one of those that the file's header lists"
                )
        yield values


def _allows(attribute: Attribute, value: str) -> bool:
    if attribute.allowed is None or value == MISSING:
        return True
    return value in attribute.allowed


def _values(line: str) -> list[str]:
    """Split a line at its commas, and remove the quotes around values."""
    values = []
    place = 0
    while True:
        match = _VALUE.match(line, place)
        if not match:
            raise ValueError(f"cannot understand the line {line!r}")
        value = _unquoted(match[1])
        values.append(value)
        place = match.end()
        is_last = not match[0].endswith(",")
        if is_last:
            return values


def _unquoted(text: str) -> str:
    if text.startswith(("'", '"')):
        inner = text[1:-1]
        return re.sub(r"\\(.)", r"\1", inner)
    return text
