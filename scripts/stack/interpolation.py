"""Puts the values of variables where `$NAME` or `${NAME}` stands, as Docker Compose
does.

`${NAME:-default}` and `${NAME:+other}` look whether the variable is empty, the forms
without a colon whether it is set; `${NAME:?reason}` wants it to have a value. `$$` is a
dollar sign, and so is one before anything but a name and a brace.
"""

import re
from collections.abc import Callable

Lookup = Callable[[str], str | None]

PLAIN = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+?])|\})")
NO_VARIABLE = "`${` begins no variable; write `$${`, or the value in single quotes"


def interpolate(text: str, lookup: Lookup) -> str:
    """Return a text with the values of its variables; one that is not set is empty.

    Raises:
        ValueError: a `${` begins no variable, or a variable that must have a value has
            none.
    """
    parts, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        value, at = _variable(text, dollar, lookup)
        parts.append(value)
    return "".join([*parts, text[at:]])


def _variable(text: str, at: int, lookup: Lookup) -> tuple[str, int]:
    """Return what stands for the variable at a dollar sign, and where the text goes on."""
    if text.startswith("$$", at):
        return "$", at + 2
    if plain := PLAIN.match(text, at):
        return lookup(plain[1]) or "", plain.end()
    if not text.startswith("${", at):
        return "$", at + 1
    braced = BRACED.match(text, at)
    if not braced:
        raise ValueError(NO_VARIABLE)
    name, operator = braced[1], braced[2]
    if not operator:
        return lookup(name) or "", braced.end()
    end = _closing_brace(text, braced.end())
    word = interpolate(text[braced.end() : end], lookup)
    return _choose(name, operator, word, lookup), end + 1


def _choose(name: str, operator: str, word: str, lookup: Lookup) -> str:
    """Return the variable's value, or the word that stands for it."""
    value = lookup(name)
    counts = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("+"):
        return word if counts else ""
    if counts:
        return value or ""
    if operator.endswith("?"):
        raise ValueError(f"it needs {name}, which has no value")
    return word


def _closing_brace(text: str, at: int) -> int:
    """Return where the brace that was opened before a place is closed."""
    depth = 1
    for place in range(at, len(text)):
        if text.startswith("${", place):
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if depth == 0:
                return place
    raise ValueError("a `${` has no `}`")
