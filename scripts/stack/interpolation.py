"""Replaces `$NAME` and `${NAME}` by the variables' values, as Docker Compose does.

`${NAME:-default}` and `${NAME:+other}` depend on whether the variable is empty, the
forms without a colon on whether it is set; `${NAME:?reason}` requires a value. `$$` is
a dollar sign, and so is a `$` before anything but a name or a brace.
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
    result = ""
    at = 0
    while True:
        dollar = text.find("$", at)
        if dollar < 0:
            return result + text[at:]
        result += text[at:dollar]
        value, at = _variable(text, dollar, lookup)
        result += value


def _variable(text: str, at: int, lookup: Lookup) -> tuple[str, int]:
    """Return the value of the variable at a dollar sign, and the position after it."""
    if text.startswith("$$", at):
        return "$", at + 2
    plain = PLAIN.match(text, at)
    if plain:
        value = lookup(plain[1]) or ""
        return value, plain.end()
    if text.startswith("${", at):
        return _braced(text, at, lookup)
    return "$", at + 1


def _braced(text: str, at: int, lookup: Lookup) -> tuple[str, int]:
    match = BRACED.match(text, at)
    if not match:
        raise ValueError(NO_VARIABLE)
    name = match[1]
    operator = match[2]
    if not operator:
        value = lookup(name) or ""
        return value, match.end()
    end = _closing_brace(text, match.end())
    word = interpolate(text[match.end() : end], lookup)
    value = _choose(name, operator, word, lookup)
    return value, end + 1


def _choose(name: str, operator: str, word: str, lookup: Lookup) -> str:
    """Return the variable's value, or the word that replaces it."""
    value = lookup(name)
    if operator.startswith(":"):
        is_set = bool(value)
    else:
        is_set = value is not None
    if operator.endswith("+"):
        return word if is_set else ""
    if is_set:
        return value or ""
    if operator.endswith("?"):
        raise ValueError(f"it needs {name}, which has no value")
    return word


def _closing_brace(text: str, at: int) -> int:
    """Return the position of the brace that closes the one opened before a position."""
    depth = 1
    for position in range(at, len(text)):
        if text.startswith("${", position):
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    raise ValueError("a `${` has no `}`")
