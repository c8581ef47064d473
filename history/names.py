"""Names of files that every system can check out, and that Git keeps as they are.

Windows reserves names and characters, Windows and macOS ignore case, macOS composes
letters in its own way, and a few names change what Git does with the files beside them.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

# Windows opens paths of 259 characters; the repository lies at most this deep on a runner.
LONGEST = 240
CHECKOUT = len(r"D:\a\a-repository-s-long-name\a-repository-s-long-name") + 1
LONGEST_PART = 255  # bytes, on Linux

_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])", re.I
)
_OF_GIT = re.compile(
    r"\.git(ignore|attributes|modules)?|git[a-z]{0,3}~[0-9]+|gi[0-9a-f]{4}~[0-9]+"
)
_TRIMMED = ". "


@lru_cache(maxsize=4096)
def fault_of(path: str) -> str | None:
    """Return why a path with slashes cannot be kept, or None.

    The reason continues a sentence about the path.
    """
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return "is not a path within the folder"
    for part in path.split("/"):
        reason = _fault_of_part(part)
        if reason:
            return reason
    return None


def _fault_of_part(part: str) -> str | None:
    forbidden = _FORBIDDEN.search(part)
    if forbidden:
        character = forbidden[0]
        if not character.isprintable():
            character = f"U+{ord(character):04X}"
        return f"has the character {character}, which Windows does not allow in a name"
    if part[-1] in _TRIMMED:
        return "has a name that ends with a dot or a space, which Windows cuts off"
    start, _, _ = part.partition(".")
    if _DEVICE.fullmatch(start.rstrip(_TRIMMED)):
        return "has a name that Windows reserves for a device"
    # macOS ignores invisible letters in these.
    letters = [letter for letter in part if unicodedata.category(letter) != "Cf"]
    visible = "".join(letters)
    if _OF_GIT.fullmatch(visible.casefold()):
        return "has a name by which Git would leave files out or change them"
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return "has a name that is not valid Unicode"
    if size > LONGEST_PART:
        return (
            f"has a name of {size} bytes, more than the {LONGEST_PART} that Linux"
            " allows"
        )
    if not unicodedata.is_normalized("NFC", part):
        return (
            "has an accent apart from its letter (Unicode's NFD), which macOS changes"
        )
    return None


def too_long(path: str) -> str | None:
    """Return why a path relative to the repository's root is too long, or None."""
    units = path.encode("utf-16-le", "surrogatepass")
    length = len(units) // 2
    longest = LONGEST - CHECKOUT - 1
    if length <= longest:
        return None
    return f"has a path of {length} characters; at most {longest} fit on Windows"


def clash(paths: Iterable[str]) -> tuple[str, str] | None:
    """Return two files or folders that are one on Windows or macOS, or None."""
    return _clash(tuple(paths))


@lru_cache(maxsize=1024)  # most runs have files of the same names
def _clash(paths: tuple[str, ...]) -> tuple[str, str] | None:
    spellings: dict[str, str] = {}
    for path in paths:
        whole = PurePosixPath(path)
        for entry in (whole, *whole.parents):
            name = str(entry)
            other = spellings.setdefault(_folded(name), name)
            if other != name:
                return other, name
    return None


@lru_cache(maxsize=4096)
def _folded(path: str) -> str:
    """Return one text for all names that some file system takes for the same."""
    plain = unicodedata.normalize("NFD", path).upper().casefold()
    return unicodedata.normalize("NFC", plain)
